// SPDX-License-Identifier: Apache-2.0
/** Photos of papers on their way up: one at a time, behind everything else; what is typed never waits for them. */
import { ProblemError } from '@muster/ui'
import { reactive } from 'vue'

export interface Photo {
  code: string
  back: string
  small: Blob
  url: string
  state: 'waiting' | 'sending' | 'kept' | 'refused'
  name: string
  problem: unknown
}

export interface PhotoQueue {
  photos: Photo[]
  add: (code: string, small: Blob, back: string) => void
  drop: (photo: Photo) => void
  /** The return that a sheet's photos belong to, once it is handed in; those on their way take it along. */
  handIn: (code: string, back: string) => void
  unsent: () => number
}

export interface Means {
  send: (code: string, small: Blob, back: string) => Promise<{ sha256: string }>
  pause: (seconds: number) => Promise<void>
  show: (small: Blob) => string
  forget: (url: string) => void
}

const LONGEST_PAUSE_S = 60

/** Whether it may go better later: no network, a busy house. What was refused by its content stays refused. */
const mayPass = (error: unknown): boolean => !(error instanceof ProblemError) || error.problem.status >= 500 || error.problem.status === 429

export function photoQueue({ send, pause, show, forget }: Means): PhotoQueue {
  const photos = reactive<Photo[]>([])
  let isRunning = false

  async function run(): Promise<void> {
    if (isRunning) return
    isRunning = true
    let tries = 0
    for (let next = waiting(); next; next = waiting()) {
      next.state = 'sending'
      const { back } = next
      try {
        next.name = (await send(next.code, next.small, back)).sha256
        // Handed in while it was on its way: sent once more, so that the return knows it.
        next.state = next.back === back ? 'kept' : 'waiting'
        tries = 0
      } catch (error) {
        next.problem = error
        next.state = mayPass(error) ? 'waiting' : 'refused'
        if (next.state === 'waiting') await pause(Math.min(LONGEST_PAUSE_S, 5 * 2 ** tries++))
      }
    }
    isRunning = false
  }

  const waiting = (): Photo | undefined => photos.find((photo) => photo.state === 'waiting')
  return {
    photos,
    add(code, small, back) {
      photos.push({ code, back, small, url: show(small), state: 'waiting', name: '', problem: null })
      void run()
    },
    drop(photo) {
      forget(photo.url)
      photos.splice(photos.indexOf(photo), 1)
    },
    handIn(code, back) {
      for (const photo of [...photos]) {
        if (photo.code !== code || photo.back) continue
        if (photo.state === 'kept' || photo.state === 'refused') this.drop(photo)
        else photo.back = back
      }
    },
    unsent: () => photos.filter((photo) => photo.state === 'waiting' || photo.state === 'sending').length,
  }
}
