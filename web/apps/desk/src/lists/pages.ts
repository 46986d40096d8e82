// SPDX-License-Identifier: Apache-2.0
/** A list that comes page by page: rows so far, whether there are more, how many in all. */
import { useInfiniteQuery } from '@tanstack/vue-query'
import { computed, type ComputedRef, type Ref } from 'vue'
import type { Page } from '../api/types'

export interface PagedRows<Row> {
  rows: ComputedRef<Row[]>
  count: ComputedRef<number | null>
  hasMore: Ref<boolean>
  isLoading: Ref<boolean>
  error: Ref<unknown>
  more: () => void
  again: () => void
}

export interface Paging<Row> {
  key: readonly unknown[]
  page: (cursor: string | null) => Promise<Page<Row>>
  enabled?: Ref<boolean> | ComputedRef<boolean>
  everyMs?: number
}

export function usePagedRows<Row>({ key, page, enabled, everyMs }: Paging<Row>): PagedRows<Row> {
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
  return {
    rows: rows as ComputedRef<Row[]>,
    count,
    hasMore: query.hasNextPage,
    isLoading: query.isPending,
    error: query.error,
    more: () => void query.fetchNextPage(),
    again: () => void query.refetch(),
  }
}
