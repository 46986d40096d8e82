// SPDX-License-Identifier: Apache-2.0
/** States of a phone: in use, taken back, ended; and silent, when it may hold work that nobody sees. */
import type { Device } from '../api/types'

export type DeviceState = 'ACTIVE' | 'REVOKED' | 'EXPIRED'
const SILENT_AFTER_MS = 60 * 60_000

export function stateOfDevice(device: Pick<Device, 'revoked_at' | 'lease_until'>, now: number): DeviceState {
  if (device.revoked_at) return 'REVOKED'
  return device.lease_until && Date.parse(device.lease_until) < now ? 'EXPIRED' : 'ACTIVE'
}

export function isSilent(device: Pick<Device, 'revoked_at' | 'lease_until' | 'last_contact_at'>, now: number): boolean {
  if (stateOfDevice(device, now) !== 'ACTIVE') return false
  return !device.last_contact_at || now - Date.parse(device.last_contact_at) > SILENT_AFTER_MS
}
