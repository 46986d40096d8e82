// SPDX-License-Identifier: Apache-2.0
/** A camera's picture as a small JPEG: drawn anew, so that neither place nor time of the camera goes with it. */

export async function smallPicture(file: Blob, { longest = 1280, quality = 0.7 } = {}): Promise<Blob> {
  const url = URL.createObjectURL(file)
  try {
    const image = await load(url)
    const shrink = Math.min(1, longest / Math.max(image.naturalWidth, image.naturalHeight, 1))
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.round(image.naturalWidth * shrink))
    canvas.height = Math.max(1, Math.round(image.naturalHeight * shrink))
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
    return await new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/jpeg', quality))
  } finally {
    URL.revokeObjectURL(url)
  }
}

function load(url: string): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const image = new Image()
    image.onload = () => resolve(image)
    image.onerror = () => reject(new Error('no picture'))
    image.src = url
  })
}
