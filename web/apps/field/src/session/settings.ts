// SPDX-License-Identifier: Apache-2.0
/** Choices of this phone's holder that hold no one's data: sizes, sound, the place and hour named in chat texts. */
import { reactive, watch } from 'vue'

export interface Settings {
  large: boolean
  sound: boolean
  round: string | null
  when: string
  place: string
  show: 'left' | 'again' | 'all'
  /** Messages up to this act have been looked at. */
  read: number
  /** Claims up to this act that somebody else had won have been told. */
  lost: number
}

const STORED_AS = 'muster.field'
const FIRST: Settings = { large: false, sound: true, round: null, when: '', place: '', show: 'left', read: 0, lost: 0 }

export function openSettings(storage: Pick<Storage, 'getItem' | 'setItem'> = localStorage): Settings {
  const settings = reactive<Settings>({ ...FIRST, ...stored(storage) })
  watch(settings, (now) => {
    try {
      storage.setItem(STORED_AS, JSON.stringify(now))
    } catch {
      // Storage may be full or forbidden; the choices then last for this page, the outbox complains for itself.
    }
  })
  return settings
}

function stored(storage: Pick<Storage, 'getItem'>): Partial<Settings> {
  try {
    return JSON.parse(storage.getItem(STORED_AS) ?? '{}') as Partial<Settings>
  } catch {
    return {}
  }
}
