// SPDX-License-Identifier: Apache-2.0
/** One import: followed while the server works, committed, undone. */
import { offerUndo, sentence, useActing } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { computed, type ComputedRef, type Ref } from 'vue'
import { useRoute } from 'vue-router'
import { transfer } from '../api/calls'
import type { ImportJob } from '../api/types'

const WORKING_EVERY_MS = 1_500

export function useImport(): {
  job: Ref<ImportJob | undefined>
  error: Ref<unknown>
  again: () => void
  isWorking: ComputedRef<boolean>
  failed: Ref<unknown>
  busy: Ref<boolean>
  commit: () => Promise<boolean>
  undo: () => Promise<boolean>
} {
  const id = String(useRoute().params.import)
  const query = useQuery({
    queryKey: ['import', id],
    queryFn: () => transfer.one(id),
    refetchInterval: (asked) => (isOnTheWay(asked.state.data) ? WORKING_EVERY_MS : false),
  })
  const { act, busy, failed } = useActing(() => query.refetch())

  const undo = (): Promise<boolean> => act(() => transfer.undo(id))
  return {
    job: query.data,
    error: query.error,
    again: () => void query.refetch(),
    isWorking: computed(() => isOnTheWay(query.data.value)),
    failed,
    busy,
    undo,
    commit: () =>
      act(async () => {
        await transfer.commit(id)
        offerUndo(sentence('transfer.committed'), async () => void (await undo()))
      }),
  }
}

export function isOnTheWay(job: Pick<ImportJob, 'state' | 'progress'> | undefined): boolean {
  if (!job) return false
  return ['UPLOADED', 'MAPPED', 'VALIDATED'].includes(job.state) || (job.progress !== null && job.progress.done < job.progress.total)
}
