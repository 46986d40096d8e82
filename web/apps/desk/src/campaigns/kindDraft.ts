// SPDX-License-Identifier: Apache-2.0
/** A campaign kind while it is being written: empty parts, codes from names, and what is still wrong with it. */
import type { Bilingual, EntryClass } from '@muster/ui'
import type { CampaignKind, Outcome, Question } from '../api/types'

const DONE_FIRST = 20
const OTHERS = 10
export const CLASSES: readonly EntryClass[] = ['DONE', 'ARRANGED', 'EXPLAINED', 'UNREACHED']

const both = (): Bilingual => ({ zh: '', en: '' })

export function newKind(): CampaignKind {
  return {
    key: '',
    name: both(),
    unit: 'person',
    version: 1,
    outcomes: [newOutcome('DONE', 1), newOutcome('UNREACHED', 2)],
    questions: [],
    sources: [],
    certificate: [],
    chat: both(),
    from: 'desk',
  }
}

export function newOutcome(cls: EntryClass, order: number): Outcome {
  const met = cls !== 'UNREACHED'
  return { code: '', name: both(), class: cls, met, door: met ? 'SEEN' : 'NO_ANSWER', evidence: 'none', precedence: cls === 'DONE' ? DONE_FIRST : OTHERS, key_order: order, service: null }
}

export function newQuestion(): Question {
  return { key: '', name: both(), type: 'bool', options: [], required: false, when: [] }
}

/** A short lower-case code from the English name; numbered when two would be the same. */
export function codeFrom(name: Bilingual, taken: readonly string[], fallback: string): string {
  const plain = name.en.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 32)
  const base = /^[a-z]/.test(plain) ? plain : fallback
  if (!taken.includes(base)) return base
  for (let number = 2; ; number += 1) if (!taken.includes(`${base}_${number}`)) return `${base}_${number}`
}

/** The draft with a code wherever there is none yet; a code once given never changes, old answers point at it. */
export function withCodes(draft: CampaignKind, kinds: readonly string[]): CampaignKind {
  const outcomes: string[] = draft.outcomes.map((one) => one.code).filter(Boolean)
  const questions: string[] = draft.questions.map((one) => one.key).filter(Boolean)
  const give = (name: Bilingual, taken: string[], fallback: string): string => {
    const code = codeFrom(name, taken, fallback)
    taken.push(code)
    return code
  }
  return {
    ...draft,
    key: draft.key || codeFrom(draft.name, kinds, 'kind'),
    outcomes: draft.outcomes.map((one, index) => ({ ...one, code: one.code || give(one.name, outcomes, 'outcome'), key_order: index + 1 })),
    questions: draft.questions.map((one) => ({ ...one, key: one.key || give(one.name, questions, 'question') })),
  }
}

/** Keys of the sentences that say what is missing; none means it can be saved. */
export function problemsOf(draft: CampaignKind): string[] {
  const wrong: string[] = []
  if (!isSaid(draft.name)) wrong.push('kinds.wrong.name')
  if (!draft.outcomes.some((one) => one.class === 'DONE')) wrong.push('kinds.wrong.no_done')
  if (!draft.outcomes.some((one) => one.class === 'UNREACHED')) wrong.push('kinds.wrong.no_unreached')
  if (draft.outcomes.some((one) => !isSaid(one.name))) wrong.push('kinds.wrong.outcome_name')
  if (hasTwins(draft.outcomes.map((one) => one.name.zh))) wrong.push('kinds.wrong.outcome_twice')
  if (draft.questions.some((one) => !isSaid(one.name))) wrong.push('kinds.wrong.question_name')
  if (draft.questions.some((one) => one.type === 'choice' && one.options.length < 2)) wrong.push('kinds.wrong.options')
  return wrong
}

/** Questions that the phone asks after this outcome. */
export function questionsAfter(kind: Pick<CampaignKind, 'questions'>, outcome: string): Question[] {
  return kind.questions.filter((one) => one.when.length === 0 || one.when.includes(outcome))
}

export function move<Item>(items: readonly Item[], index: number, by: number): Item[] {
  const to = index + by
  const moved = [...items]
  const [one] = moved.splice(index, 1)
  if (one === undefined || to < 0 || to > moved.length) return [...items]
  moved.splice(to, 0, one)
  return moved
}

function isSaid(text: Bilingual): boolean {
  return text.zh.trim() !== '' && text.en.trim() !== ''
}

function hasTwins(names: readonly string[]): boolean {
  const said = names.map((name) => name.trim()).filter(Boolean)
  return new Set(said).size < said.length
}
