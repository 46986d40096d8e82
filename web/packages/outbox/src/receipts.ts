// SPDX-License-Identifier: Apache-2.0
/** The server's word that a batch is on its disk. Believed only if it is about these bytes and signed by a known key. */
import { isSignedBy, type ServerKey } from './keys'

export interface Receipt {
  v: 1
  batch: string
  device: string
  sha256: string
  received_at: string
  instance: string
  count: number
  signature: string
}

export interface Sent {
  batch: string
  device: string
  sha256: string
  count: number
}

export type ReceiptFault = 'receipt_malformed' | 'receipt_of_another' | 'receipt_unsigned'

export async function faultOf(answer: unknown, sent: Sent, keys: readonly ServerKey[]): Promise<ReceiptFault | null> {
  if (!isReceipt(answer)) return 'receipt_malformed'
  const names = ['batch', 'device', 'sha256', 'count'] as const
  if (names.some((name) => answer[name] !== sent[name])) return 'receipt_of_another'
  const { batch, device, sha256, received_at } = answer
  const said = ['muster-receipt-v1', batch, device, sha256, received_at].join('\n')
  for (const { jwk } of keys) {
    if (await isSignedBy(jwk, said, answer.signature)) return null
  }
  return 'receipt_unsigned'
}

export function isReceipt(answer: unknown): answer is Receipt {
  if (typeof answer !== 'object' || answer === null) return false
  const { count, ...rest } = answer as Record<string, unknown>
  const texts = ['batch', 'device', 'sha256', 'received_at', 'signature'].map((name) => rest[name])
  return Number.isInteger(count) && texts.every((text) => typeof text === 'string')
}
