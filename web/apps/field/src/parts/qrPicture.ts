// SPDX-License-Identifier: Apache-2.0
/** QR pictures on the phone itself; the writer is loaded only when a code is shown. */
import writerUrl from 'zxing-wasm/writer/zxing_writer.wasm?url'

export async function qrPicture(text: string): Promise<string> {
  const { prepareZXingModule, writeBarcode } = await import('zxing-wasm/writer')
  prepareZXingModule({ overrides: { locateFile: () => writerUrl } })
  const { svg, error } = await writeBarcode(text, { format: 'QRCode', options: 'EcLevel=L' })
  if (error) throw new Error(error)
  const named = svg.includes('xmlns=') ? svg : svg.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"')
  return `data:image/svg+xml,${encodeURIComponent(named)}`
}
