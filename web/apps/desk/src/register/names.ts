// SPDX-License-Identifier: Apache-2.0
/** What people call a building: by its compound, or by its lane where many houses share a name. */
import type { BuildingRow } from '../api/types'

export function nameOfBuilding({ name, street, compound }: Pick<BuildingRow, 'name' | 'street' | 'compound'>): string {
  if (compound && !name.startsWith(compound.name)) return `${compound.name} ${name}`
  return street && !name.startsWith(street) ? `${street} ${name}` : name
}
