// SPDX-License-Identifier: Apache-2.0
/** The day that is being played: read every two seconds, paused and sped up from here. */
import { missingOf, request, type Bilingual, type DoorFigures, type Equation } from '@muster/ui'
import { computed, onBeforeUnmount, onMounted, shallowRef, type ComputedRef, type Ref } from 'vue'

export interface DrillWorker {
  name: string
  left: number
  recorded: number
  unsent: number
  online: boolean
}

export interface Drill {
  state: 'STARTING' | 'PLAYING' | 'PAUSED' | 'FINISHED'
  speed: number
  clock?: string
  workers: DrillWorker[]
  log: { what: string; clock: string; text?: Bilingual }[]
  facts_sent?: number
  worker_code?: string
  worker_url?: string
  /** What the resident's and the relative's doors need. */
  tracking_code?: string
  care_code?: string
  /** The published figures of the round; none before its first snapshot. */
  figures?: Figures | null
}

export interface Figures {
  equation: Equation
  doors: DoorFigures
  found: { count: number; rate: number }
}

export const SPEEDS = [1, 5, 20, 60] as const
const EVERY_MS = 2_000

export function useDrill(): {
  drill: Ref<Drill | null>
  failed: Ref<unknown>
  share: ComputedRef<number | null>
  control: (action: 'pause' | 'resume' | 'speed', speed?: number) => Promise<void>
} {
  const drill = shallowRef<Drill | null>(null)
  const failed = shallowRef<unknown>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let gone = false

  async function read(): Promise<void> {
    try {
      drill.value = await request<Drill>('/drill')
      failed.value = null
    } catch (error) {
      failed.value = error
    }
    if (!gone) timer = setTimeout(() => void read(), document.hidden ? 5 * EVERY_MS : EVERY_MS)
  }

  async function control(action: 'pause' | 'resume' | 'speed', speed?: number): Promise<void> {
    try {
      const told = await request<Drill>('/drill', { method: 'POST', body: { action, speed } })
      // The player answers within a second; until then the page shows what was asked for.
      drill.value = { ...told, state: wished(told.state, action), speed: speed ?? told.speed }
      failed.value = null
    } catch (error) {
      failed.value = error
    }
  }

  onMounted(() => void read())
  onBeforeUnmount(() => {
    gone = true
    clearTimeout(timer)
  })
  return { drill, failed, control, share: computed(() => shareOf(drill.value)) }
}

export function wished(state: Drill['state'], action: 'pause' | 'resume' | 'speed'): Drill['state'] {
  if (action === 'pause') return 'PAUSED'
  return action === 'resume' ? 'PLAYING' : state
}

/** How far the round is: everybody who is not missing has a result or a written word. */
export function shareOf(drill: Drill | null): number | null {
  const equation = drill?.figures?.equation
  return equation && equation.roster > 0 ? (equation.roster - missingOf(equation.classes)) / equation.roster : null
}
