// SPDX-License-Identifier: Apache-2.0
/** Where a thing that was found opens. */
import type { Found } from '../api/types'

export function addressOfFound(found: Found): string {
  switch (found.type) {
    case 'person':
      return `/register?person=${found.id}`
    case 'door':
      return `/register?dwelling=${found.id}`
    case 'building':
      return `/register?building=${found.id}`
    case 'grid':
      return `/grids/${found.id}`
    default:
      return '/register'
  }
}
