// SPDX-License-Identifier: Apache-2.0
/** Names of rounds and of their outcomes, for records that only know the codes. */
import { isTerm, pick, term } from '@muster/ui'
import { useCurrentRound } from './current'

export function useRoundNames(): { nameOf: (round: string) => string; outcomeOf: (round: string, outcome: string) => string } {
  const { all } = useCurrentRound()
  const found = (id: string): (typeof all.value)[number] | undefined => all.value.find((one) => one.id === id)
  return {
    nameOf: (id) => {
      const round = found(id)
      return round ? `${round.campaign_name} · ${round.name}` : ''
    },
    // What no kind has is the house's own word: merged, added in error.
    outcomeOf: (id, code) => pick(found(id)?.kind.outcomes.find((one) => one.code === code)?.name) || (isTerm(`outcome_${code}`) ? term(`outcome_${code}`) : code),
  }
}
