// SPDX-License-Identifier: Apache-2.0
/** Handing a file on: through the phone's own share sheet where it has one, else as a download. */

/** A plain name: whoever carries it needs to see what it is, and not whose. */
export function fileFor(text: string, at: number): File {
  const day = new Date(at).toISOString().slice(0, 16).replace(/[:T]/g, '-')
  return new File([text], `muster-${day}.json`, { type: 'application/json' })
}

/** False where the person turned it down. */
export async function handOn(file: File): Promise<boolean> {
  const shared = { files: [file] }
  const can = (navigator as { canShare?: (what: { files: File[] }) => boolean }).canShare
  if (can?.call(navigator, shared)) {
    try {
      await navigator.share(shared)
      return true
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return false
    }
  }
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = file.name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  return true
}
