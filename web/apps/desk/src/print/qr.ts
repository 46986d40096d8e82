// SPDX-License-Identifier: Apache-2.0
/** QR pictures for paper, made on this machine; the writer is loaded only when something is printed. */
import wasmUrl from 'zxing-wasm/writer/zxing_writer.wasm?url'

/** An SVG picture of the text as an address that an `<img>` can show. */
export async function qrPicture(text: string): Promise<string> {
  const { prepareZXingModule, writeBarcode } = await import('zxing-wasm/writer')
  prepareZXingModule({ overrides: { locateFile: (path: string, prefix: string) => (path.endsWith('.wasm') ? wasmUrl : prefix + path) } })
  const { svg, error } = await writeBarcode(text, { format: 'QRCode', options: 'EcLevel=M' })
  if (error) throw new Error(error)
  return svgPicture(svg)
}

/** An SVG meant to stand in a page lacks the name of its language; as a picture of its own it needs it. */
export function svgPicture(svg: string): string {
  const named = svg.includes('xmlns=') ? svg : svg.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"')
  return `data:image/svg+xml,${encodeURIComponent(named)}`
}
