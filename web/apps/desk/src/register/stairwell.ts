// SPDX-License-Identifier: Apache-2.0
/** What a door's cell in the stairwell diagram shows. */
import type { Tone } from '@muster/ui'
import type { StairwellDoor } from '../api/types'

/** A door that opened but has people left is work under way; a refusal is noted, never a fault. */
export function toneOfDoor(door: Pick<StairwellDoor, 'state' | 'left'>): Tone {
  switch (door.state ?? 'UNSEEN') {
    case 'SEEN':
      return door.left > 0 ? 'now' : 'done'
    case 'NO_ANSWER':
      return 'attention'
    case 'VACANT':
    case 'REFUSED':
      return 'noted'
    default:
      return 'waiting'
  }
}

export interface DoorCount {
  doors: number
  people: number
  left: number
}

export function countDoors(doors: readonly Pick<StairwellDoor, 'people' | 'left'>[]): DoorCount {
  const count: DoorCount = { doors: doors.length, people: 0, left: 0 }
  for (const door of doors) {
    count.people += door.people
    count.left += door.left
  }
  return count
}
