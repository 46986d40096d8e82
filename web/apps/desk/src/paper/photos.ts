// SPDX-License-Identifier: Apache-2.0
/** The one queue of this desk's photos: it goes on while pages change, and holds the tab until it is empty. */
import { smallPicture } from '@muster/ui'
import { sheets } from '../api/sheets'
import { photoQueue } from './photoQueue'

// Handwriting on A4 stays legible at this; the house keeps no more.
const AS_KEPT = { longest: 1600, quality: 0.8 }

export const queue = photoQueue({
  send: sheets.addPicture,
  pause: (seconds) => new Promise((done) => setTimeout(done, seconds * 1000)),
  show: (small) => URL.createObjectURL(small),
  forget: (url) => URL.revokeObjectURL(url),
})

window.addEventListener('beforeunload', (event) => {
  if (queue.unsent() > 0) event.preventDefault()
})

/** Draws each file small and lets it wait its turn; answers how many were no photos. */
export async function addPhotos(code: string, files: readonly File[], back: string): Promise<number> {
  let wrong = 0
  for (const file of files) {
    const small = await smallPicture(file, AS_KEPT).catch(() => null)
    if (small) queue.add(code, small, back)
    else wrong += 1
  }
  return wrong
}
