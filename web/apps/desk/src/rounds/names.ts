// SPDX-License-Identifier: Apache-2.0
/** Names of rounds and of their outcomes, for records that only know the codes. */
import { pick } from '@muster/ui'
import { useCurrentRound } from './current'

export function useRoundNames(): { nameOf: (round: string) => string; outcomeOf: (round: string, outcome: string) => string } {
  const { all } = useCurrentRound()
  const found = (id: string): (typeof all.value)[number] | undefined => all.value.find((one) => one.id === id)
  return {
    nameOf: (id) => {
      const round = found(id)
      return round ? `${round.campaign_name} · ${round.name}` : ''
    },
    outcomeOf: (id, code) => pick(found(id)?.kind.outcomes.find((one) => one.code === code)?.name) || code,
  }
}
