// SPDX-License-Identifier: Apache-2.0
/** Pairs to judge: the list page by page, the one that is open, judging it and taking the judgement back. */
import { offerUndo, sentence, useActing } from '@muster/ui'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, watch, type ComputedRef, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { duplicates } from '../api/calls'
import type { DuplicatePair, Judgement, PairLine, PairState } from '../api/duplicates'
import { usePagedRows, type PagedRows } from '../lists/pages'
import { areaId } from '../shell/place'
import { changedQuery } from '../shell/query'

export interface PairDesk {
  state: ComputedRef<PairState>
  list: PagedRows<PairLine>
  pair: Ref<DuplicatePair | undefined>
  error: Ref<unknown>
  again: () => void
  opened: ComputedRef<string | null>
  show: (state: PairState) => void
  open: (id: string | null) => void
  busy: Ref<boolean>
  failed: Ref<unknown>
  judge: (judgement: Judgement) => Promise<boolean>
  undo: () => Promise<void>
}

export function usePairs(): PairDesk {
  const route = useRoute()
  const router = useRouter()
  const client = useQueryClient()
  const { act, busy, failed } = useActing()
  const asked = (name: string): string | null => (typeof route.query[name] === 'string' && route.query[name] !== '' ? route.query[name] : null)
  const state = computed<PairState>(() => (asked('status') as PairState | null) ?? 'OPEN')
  const opened = computed(() => asked('pair'))
  const scope = computed(() => ({ area: areaId.value, grid: Number(asked('grid')) || null, status: state.value }))
  const list = usePagedRows<PairLine>({ key: ['duplicates', scope], page: (cursor) => duplicates.list({ ...scope.value, cursor }) })
  const one = useQuery({ queryKey: ['duplicate', opened], queryFn: () => duplicates.one(opened.value ?? ''), enabled: computed(() => opened.value !== null) })
  const go = (change: Record<string, string | null>): void => void router.replace({ query: changedQuery(route.query, change) })
  watch(opened, () => (failed.value = null))

  async function show(pair: DuplicatePair): Promise<void> {
    client.setQueryData(['duplicate', opened], pair)
    await Promise.all([client.invalidateQueries({ queryKey: ['duplicates'] }), client.invalidateQueries({ queryKey: ['inbox'] })])
  }

  async function judge(judgement: Judgement): Promise<boolean> {
    const id = opened.value
    if (id === null) return false
    const next = nextOf(list.rows.value, id)
    const isDone = await act(async () => show(await duplicates.judge(id, judgement)))
    if (isDone) {
      offerUndo(sentence(`duplicates.done.${judgement.judgement}`), async () => {
        await duplicates.undo(id)
        await client.invalidateQueries({ queryKey: ['duplicates'] })
        go({ pair: id, status: null })
      })
      go({ pair: next })
    }
    return isDone
  }

  async function undo(): Promise<void> {
    const id = opened.value
    if (id !== null && (await act(async () => show(await duplicates.undo(id))))) go({ pair: id, status: null })
  }

  return {
    state,
    list,
    pair: one.data,
    error: one.error,
    again: () => void one.refetch(),
    opened,
    show: (wanted) => go({ status: wanted === 'OPEN' ? null : wanted, pair: null }),
    open: (id) => go({ pair: id }),
    busy,
    failed,
    judge,
    undo,
  }
}

/** The pair after this one, so that judging goes on; the one before where this was the last. */
export function nextOf(rows: readonly Pick<PairLine, 'id'>[], id: string): string | null {
  const at = rows.findIndex((row) => row.id === id)
  return (rows[at + 1] ?? rows[at - 1])?.id ?? null
}
