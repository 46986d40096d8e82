// SPDX-License-Identifier: Apache-2.0
/** A campaign kind as the phone reads it: which outcomes there are, what each asks for. The same JSON as at the desk. */

export interface Bilingual {
  zh: string
  en: string
}

export type EntryClass = 'OPEN' | 'DONE' | 'ARRANGED' | 'EXPLAINED' | 'UNREACHED'
export type DoorState = 'SEEN' | 'VACANT' | 'NO_ANSWER' | 'REFUSED' | 'UNSEEN'
export type Unit = 'person' | 'household' | 'dwelling'
export type Evidence = 'none' | 'note' | 'proof' | 'second_visit'

export interface Outcome {
  code: string
  name: Bilingual
  class: EntryClass
  met?: boolean
  door?: Exclude<DoorState, 'UNSEEN'> | null
  evidence?: Evidence
  precedence?: number
  key_order?: number
  service?: Bilingual
}

export interface Question {
  key: string
  name: Bilingual
  type: 'bool' | 'choice' | 'number' | 'text'
  options?: { value: string; name: Bilingual }[]
  required?: boolean
  when?: string[]
}

export interface CampaignKind {
  key: string
  name: Bilingual
  unit: Unit
  version?: number
  outcomes: Outcome[]
  questions?: Question[]
  sources?: { code: string; name: Bilingual }[]
  chat?: Bilingual
}

export type Answers = Record<string, string | number | boolean>

export function outcomesInOrder({ outcomes }: CampaignKind): Outcome[] {
  return outcomes
    .map((outcome, place) => ({ outcome, order: outcome.key_order ?? 1000 + place }))
    .sort((one, other) => one.order - other.order)
    .map(({ outcome }) => outcome)
}

export function outcomeOf({ outcomes }: CampaignKind, code: string | null | undefined): Outcome | undefined {
  return outcomes.find((outcome) => outcome.code === code)
}

export function precedenceOf({ precedence, class: cls }: Outcome): number {
  return precedence ?? (cls === 'DONE' ? 20 : 10)
}

/** A question without `when` is asked with every outcome that met somebody. */
export function questionsFor({ questions = [] }: CampaignKind, outcome: Outcome): Question[] {
  return questions.filter(({ when }) => (when?.length ? when.includes(outcome.code) : outcome.met === true))
}

/** What the worker must still give before the outcome can be recorded: nothing, a note, or what proves it. */
export function mustGive({ evidence }: Outcome): 'note' | 'proof' | null {
  return evidence === 'note' || evidence === 'proof' ? evidence : null
}

export function unanswered(questions: readonly Question[], answers: Answers): Question[] {
  return questions.filter(({ key, required }) => {
    const answer = answers[key]
    return required === true && (answer === undefined || answer === '')
  })
}

const CLOSED_DOOR = new Set(['NO_ANSWER', 'REFUSED', 'VACANT'])

/** Outcomes of a door where nobody was met: one tap counts for all who are left behind it. */
export function doorOutcomes(kind: CampaignKind): Outcome[] {
  // Where the door itself is what the round asks about, its own keys say all of this already.
  if (kind.unit === 'dwelling') return []
  return outcomesInOrder(kind).filter(({ door, met, class: cls }) => met !== true && cls !== 'DONE' && CLOSED_DOOR.has(door ?? ''))
}
