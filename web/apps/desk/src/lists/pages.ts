// SPDX-License-Identifier: Apache-2.0
/** A list that comes page by page: rows so far, whether there are more, how many in all. */
import { useInfiniteQuery } from '@tanstack/vue-query'
import { computed, watch, type ComputedRef, type Ref } from 'vue'
import type { Page } from '../api/types'

export interface PagedRows<Row> {
  rows: ComputedRef<Row[]>
  count: ComputedRef<number | null>
  hasMore: Ref<boolean>
  isLoading: Ref<boolean>
  error: Ref<unknown>
  more: () => void
  again: () => void
  /** Every row there is, asked for anew: what is saved or printed is never only what happened to be on screen. */
  all: () => Promise<Row[]>
}

export interface Paging<Row> {
  key: readonly unknown[]
  page: (cursor: string | null) => Promise<Page<Row>>
  enabled?: Ref<boolean> | ComputedRef<boolean>
  everyMs?: number
  /** While true, the rest is fetched too: a search within the page must not look only at what is loaded. */
  whole?: Ref<boolean> | ComputedRef<boolean>
}

/** All rows of a list, page after page. */
export async function allRows<Row>(page: (cursor: string | null) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = []
  let cursor: string | null = null
  do {
    const { items, next }: Page<Row> = await page(cursor)
    rows.push(...items)
    cursor = next
  } while (cursor !== null)
  return rows
}

export function usePagedRows<Row>({ key, page, enabled, everyMs, whole }: Paging<Row>): PagedRows<Row> {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => page(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Page<Row>) => last.next,
    enabled,
    refetchInterval: everyMs,
    placeholderData: (before) => before,
  })
  const rows = computed(() => query.data.value?.pages.flatMap((one) => one.items) ?? [])
  const count = computed(() => query.data.value?.pages[0]?.count ?? (query.hasNextPage.value ? null : rows.value.length))
  if (whole) {
    watch([whole, query.hasNextPage, query.isFetching], ([wanted, hasNext, isFetching]) => {
      if (wanted && hasNext && !isFetching) void query.fetchNextPage()
    })
  }
  return {
    rows: rows as ComputedRef<Row[]>,
    count,
    hasMore: query.hasNextPage,
    isLoading: query.isPending,
    error: query.error,
    more: () => void query.fetchNextPage(),
    again: () => void query.refetch(),
    all: () => allRows(page),
  }
}
