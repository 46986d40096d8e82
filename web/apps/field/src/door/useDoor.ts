// SPDX-License-Identifier: Apache-2.0
/** What a worker does at a door: one outcome for one or for all, its questions first, the same for the rest, the next door. */
import { pick, sentence } from '@muster/ui'
import { doorOutcomes, mustGive, outcomeOf, questionsFor, type DoorState, type Outcome } from '@muster/rules'
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { doorName, lineName } from '../grid/wording'
import type { DoorView, Line } from '../grid/view'
import { useField, type OutcomeDetail } from '../session/acting'
import type { Session } from '../session/session'
import { useSheets } from '../session/sheets'

export interface Asking {
  lines: Line[]
  outcome: Outcome
}

export interface AtDoor {
  openLine: ComputedRef<string>
  expand: (subject: string) => void
  choose: (lines: Line[], outcome: Outcome) => void
  asking: ShallowRef<Asking | null>
  answered: (detail: OutcomeDetail) => void
  forAllLeft: (outcome: Outcome) => void
  same: ComputedRef<Outcome | null>
  sameForAll: () => void
  states: ComputedRef<DoorState[]>
  doorIs: (state: DoorState) => void
  /** Everybody here has a result or was tried: the walk goes on. */
  isTried: ComputedRef<boolean>
  next: ComputedRef<DoorView | null>
  calling: Ref<Line | null>
  called: (line: Line) => void
  callEnded: (reached: boolean) => void
}

const LEFT = new Set(['OPEN', 'UNREACHED'])

export function useDoor(session: Session, view: ComputedRef<DoorView | null>): AtDoor {
  const { acts } = useField()
  const sheets = useSheets()
  const chosen = ref<string | null>(null)
  const last = shallowRef<Outcome | null>(null)
  const asking = shallowRef<Asking | null>(null)
  const calling = shallowRef<Line | null>(null)
  const kind = computed(() => session.round.value?.kind ?? null)
  const left = computed(() => view.value?.lines.filter(({ entry }) => LEFT.has(entry.cls)) ?? [])
  const acted = shallowRef(new Set<string>())
  // Who was tried on an earlier visit stands open again; who was tried a minute ago does not.
  const isNext = ({ subject, entry }: Line) => entry.cls === 'OPEN' || !acted.value.has(subject)
  const openLine = computed(() => chosen.value ?? left.value.find(isNext)?.subject ?? '')

  const asks = (outcome: Outcome) => mustGive(outcome) !== null || (kind.value !== null && questionsFor(kind.value, outcome).length > 0)
  const same = computed(() => (last.value && !asks(last.value) && left.value.some(({ entry }) => entry.cls === 'OPEN') ? last.value : null))

  const states = computed<DoorState[]>(() => {
    const covered = new Set(kind.value && left.value.length > 0 ? doorOutcomes(kind.value).map(({ door }) => door) : [])
    if (kind.value?.unit === 'dwelling' && left.value.length > 0) return []
    const all: DoorState[] = left.value.length > 0 ? ['VACANT'] : ['NO_ANSWER', 'REFUSED', 'VACANT']
    return all.filter((state) => !covered.has(state as never))
  })

  const isTried = computed(() => {
    const { lines = [], reading } = view.value ?? {}
    return lines.length > 0 ? lines.every(({ entry }) => entry.cls !== 'OPEN') : reading !== undefined && reading.state !== 'UNSEEN'
  })

  const next = computed<DoorView | null>(() => {
    const walk = session.view.value?.buildings.flatMap(({ stairs }) => stairs.flatMap(({ doors }) => doors)) ?? []
    const here = walk.findIndex(({ door }) => door.id === view.value?.door.id)
    return [...walk.slice(here + 1), ...walk.slice(0, Math.max(here, 0))].find(({ isLeft }) => isLeft) ?? null
  })

  /** A result beats a weaker one whenever it was recorded: to weaken it, one's own must be taken back first. */
  async function clearTheWay(lines: Line[], outcome: Outcome): Promise<boolean> {
    const decided = lines.filter(({ entry }) => !LEFT.has(entry.cls))
    const stronger = decided.map((line) => acts.ownStronger(line, outcome, Date.now()))
    if (stronger.some((own) => own === null)) {
      const current = kind.value && outcomeOf(kind.value, decided[0]?.entry.outcome)
      acts.refuse(sentence('door.cannot_change', { outcome: pick(current?.name) }))
      return false
    }
    await acts.undo(stronger.flatMap((own) => own ?? []))
    return true
  }

  async function record(lines: Line[], outcome: Outcome, detail: OutcomeDetail = {}): Promise<void> {
    const door = view.value
    const rules = kind.value
    if (!door || !rules || lines.length === 0) return
    if (!(await clearTheWay(lines, outcome))) return
    const [first] = lines
    const who = rules.unit === 'dwelling' ? doorName(door) : lines.length === 1 && first ? lineName(rules, door, first, true) : sentence('today.people_here', { n: lines.length })
    if (await acts.outcome(door, lines, outcome, `${who} · ${pick(outcome.name)}`, detail)) {
      last.value = lines.length === 1 ? outcome : null
      chosen.value = null
      acted.value = new Set([...acted.value, ...lines.map(({ subject }) => subject)])
    }
  }

  function choose(lines: Line[], outcome: Outcome): void {
    if (!asks(outcome)) return void record(lines, outcome)
    asking.value = { lines, outcome }
    sheets.show('ask')
  }

  function answered(detail: OutcomeDetail): void {
    const asked = asking.value
    sheets.close()
    if (asked) void record(asked.lines, asked.outcome, detail)
  }

  return {
    openLine,
    expand: (subject) => (chosen.value = openLine.value === subject ? '' : subject),
    choose,
    asking,
    answered,
    forAllLeft: (outcome) => choose(left.value, outcome),
    same,
    sameForAll: () => last.value && choose(left.value.filter(({ entry }) => entry.cls === 'OPEN'), last.value),
    states,
    doorIs: (state) => view.value && void acts.door(view.value, state, sentence(`door.${state.toLowerCase()}`)),
    isTried,
    next,
    calling,
    called: (line) => (calling.value = line),
    callEnded: (reached) => {
      if (view.value && calling.value) void acts.called(view.value, calling.value, reached, sentence(`door.reached_${reached ? 'yes' : 'no'}`))
      calling.value = null
    },
  }
}
