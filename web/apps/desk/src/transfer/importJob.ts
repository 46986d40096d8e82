// SPDX-License-Identifier: Apache-2.0
/** One import: followed while the server works, committed, undone. */
import { offerUndo, sentence } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, type ComputedRef, type Ref } from 'vue'
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
  commit: () => Promise<void>
  undo: () => Promise<void>
} {
  const id = String(useRoute().params.import)
  const failed = ref<unknown>(null)
  const busy = ref(false)
  const query = useQuery({
    queryKey: ['import', id],
    queryFn: () => transfer.one(id),
    refetchInterval: (asked) => (isOnTheWay(asked.state.data) ? WORKING_EVERY_MS : false),
  })

  async function act(run: () => Promise<unknown>): Promise<void> {
    busy.value = true
    failed.value = null
    try {
      await run()
      await query.refetch()
    } catch (error) {
      failed.value = error
    } finally {
      busy.value = false
    }
  }

  const undo = (): Promise<void> => act(() => transfer.undo(id))
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
        offerUndo(sentence('transfer.committed'), undo)
      }),
  }
}

export function isOnTheWay(job: Pick<ImportJob, 'state' | 'progress'> | undefined): boolean {
  if (!job) return false
  return ['UPLOADED', 'MAPPED', 'VALIDATED'].includes(job.state) || (job.progress !== null && job.progress.done < job.progress.total)
}
