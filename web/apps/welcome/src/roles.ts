// SPDX-License-Identifier: Apache-2.0
/** The doors of the drill: who one can be, where that leads, and the first ten minutes there. */

export interface Step {
  /** Key of the sentence. */
  says: string
  /** Where it happens, behind the same sign-in. */
  to?: string
}

export interface RoleDoor {
  key: string
  /** Key of the terms list. */
  noun: string
  /** The login of the drill; none where nobody signs in. */
  login?: string
  to: string
  minutes: number
  steps: Step[]
}

const steps = (role: string, ...to: (string | undefined)[]): Step[] => to.map((one, index) => ({ says: `role.${role}.step${index + 1}`, to: one }))

export const DOORS: readonly RoleDoor[] = [
  { key: 'worker', noun: 'role_worker', to: '/field/', minutes: 5, steps: steps('worker', undefined, undefined, undefined, undefined) },
  { key: 'head', noun: 'role_grid_head', login: 'grid_head', to: '/desk/', minutes: 8, steps: steps('head', '/desk/', '/desk/rounds/current', '/desk/grids', '/desk/rounds/current?tab=parts') },
  { key: 'desk', noun: 'role_desk', login: 'desk', to: '/desk/', minutes: 10, steps: steps('desk', '/desk/', '/desk/requests', '/desk/register', '/desk/kinds', '/desk/transfer', '/desk/plans') },
  { key: 'resident', noun: 'role_resident', to: '/', minutes: 3, steps: steps('resident', '/', '/', '/') },
  { key: 'helper', noun: 'responder', to: '/help', minutes: 2, steps: steps('helper', '/help', '/help/find') },
  { key: 'relative', noun: 'role_relative', to: '/relative', minutes: 3, steps: steps('relative', '/', '/', '/') },
  { key: 'command', noun: 'role_command', login: 'command', to: '/command/', minutes: 4, steps: steps('command', '/command/', '/command/', '/desk/grids') },
]
