// SPDX-License-Identifier: Apache-2.0
/** Camera and reader: the browser's own reader where it has one, else a small one in WebAssembly, on the phone in both cases. */
import readerUrl from 'zxing-wasm/reader/zxing_reader.wasm?url'

export interface OpenCamera {
  hasLight: boolean
  light: (on: boolean) => Promise<boolean>
  stop: () => void
}

type Read = (frame: HTMLCanvasElement) => Promise<string | null>
const EVERY_MS = 180
const WIDTH = 640

/** `onCode` answers whether the code was meant for it; the same code is not offered twice in a row. */
export async function openCamera(video: HTMLVideoElement, onCode: (text: string) => boolean): Promise<OpenCamera> {
  // Absent where the page is not secure or the browser has no camera.
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (!devices) throw new DOMException('no camera', 'NotFoundError')
  const read = await reader()
  const stream = await devices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } }, audio: false })
  const [track] = stream.getVideoTracks()
  video.srcObject = stream
  await video.play()
  const stopped = { now: false }
  void look(video, read, onCode, stopped)
  const can = (track?.getCapabilities?.() ?? {}) as { torch?: boolean }
  return {
    hasLight: can.torch === true,
    light: async (on) => {
      await track?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] })
      return on
    },
    stop: () => {
      stopped.now = true
      stream.getTracks().forEach((one) => one.stop())
    },
  }
}

async function look(video: HTMLVideoElement, read: Read, onCode: (text: string) => boolean, stopped: { now: boolean }): Promise<void> {
  const frame = document.createElement('canvas')
  let last = ''
  while (!stopped.now) {
    await new Promise((later) => setTimeout(later, EVERY_MS))
    if (video.videoWidth === 0) continue
    frame.width = WIDTH
    frame.height = Math.round((WIDTH * video.videoHeight) / video.videoWidth)
    frame.getContext('2d', { willReadFrequently: true })?.drawImage(video, 0, 0, frame.width, frame.height)
    const text = await read(frame).catch(() => null)
    if (text && text !== last) {
      last = text
      onCode(text)
    }
  }
}

interface NativeDetector {
  detect: (frame: HTMLCanvasElement) => Promise<{ rawValue: string }[]>
}

async function reader(): Promise<Read> {
  const Native = (window as { BarcodeDetector?: new (options: { formats: string[] }) => NativeDetector }).BarcodeDetector
  if (Native) {
    const detector = new Native({ formats: ['qr_code'] })
    return async (frame) => (await detector.detect(frame))[0]?.rawValue ?? null
  }
  // The one built-in that the reader asks for and the oldest browsers of the support floor lack.
  const known = Object as { hasOwn?: (of: object, name: PropertyKey) => boolean }
  known.hasOwn ??= (of, name) => Object.prototype.hasOwnProperty.call(of, name)
  const { prepareZXingModule, readBarcodes } = await import('zxing-wasm/reader')
  prepareZXingModule({ overrides: { locateFile: () => readerUrl } })
  return async (frame) => {
    const pixels = frame.getContext('2d')?.getImageData(0, 0, frame.width, frame.height)
    if (!pixels) return null
    const [found] = await readBarcodes(pixels, { formats: ['QRCode'], maxNumberOfSymbols: 1 })
    return found?.text ?? null
  }
}
