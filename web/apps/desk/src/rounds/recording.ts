// SPDX-License-Identifier: Apache-2.0
/** Recording from the desk: send the fact, say what became of it, offer the way back. */
import { message, offerUndo, pick, sentence, term, type Bilingual } from '@muster/ui'
import { ref, type Ref } from 'vue'
import type { MissingEntry, Outcome, Round } from '../api/types'
import { contactFact, outcomeFact, send, undoFact, type DeskFact } from './facts'

export function useRecording(round: Readonly<Ref<Round>>, done: () => void): {
  failed: Ref<unknown>
  record: (entry: MissingEntry, outcome: Outcome, note: string) => Promise<void>
  tried: (entry: MissingEntry, reached: boolean, note: string) => Promise<void>
} {
  const failed = ref<unknown>(null)

  async function go(fact: DeskFact, says: string): Promise<void> {
    const id = round.value.id
    failed.value = null
    try {
      const { verdict, code } = await send(id, fact)
      const kept = verdict === 'HELD' || verdict === 'QUARANTINED'
      offerUndo(kept ? `${term(`verdict_${verdict.toLowerCase()}`)} ${code ? (message(code) ?? code) : ''}` : says, async () => {
        await send(id, undoFact(id, fact))
        done()
      })
      done()
    } catch (error) {
      failed.value = error
    }
  }

  return {
    failed,
    record: (entry, outcome, note) => go(outcomeFact(round.value.id, entry, outcome, note, {}), says(entry, outcome.name)),
    tried: (entry, reached, note) =>
      go(contactFact(round.value.id, entry, reached, note), sentence(reached ? 'entry.said_reached' : 'entry.said_not_reached', { who: entry.name || entry.door })),
  }
}

function says(entry: MissingEntry, name: Bilingual): string {
  return sentence('entry.said', { who: entry.name || entry.door, outcome: pick(name) })
}
