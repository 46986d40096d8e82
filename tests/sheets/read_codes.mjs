// SPDX-License-Identifier: Apache-2.0
// Reads the code in each picture named on the command line, as a phone's camera would: one line of text for each.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [web, ...pictures] = process.argv.slice(2)
const require = createRequire(pathToFileURL(`${web}/package.json`))
const { prepareZXingModule, readBarcodes } = await import(pathToFileURL(require.resolve('zxing-wasm/reader')).href)
prepareZXingModule({ overrides: { wasmBinary: readFileSync(require.resolve('zxing-wasm/reader/zxing_reader.wasm')).buffer } })
for (const picture of pictures) {
  const found = await readBarcodes(new Uint8Array(readFileSync(picture)), { formats: ['QRCode'], tryHarder: true })
  console.log(found.map((one) => one.text).join(' '))
}
