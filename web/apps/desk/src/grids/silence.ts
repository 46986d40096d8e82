// SPDX-License-Identifier: Apache-2.0
/** A phone that has not been heard for an hour may hold work that nobody sees. */
import type { Device } from '../api/types'

const SILENT_AFTER_MS = 60 * 60_000

export function isSilent(device: Pick<Device, 'state' | 'last_contact_at'>, now: number): boolean {
  if (device.state !== 'ACTIVE') return false
  return !device.last_contact_at || now - new Date(device.last_contact_at).getTime() > SILENT_AFTER_MS
}
