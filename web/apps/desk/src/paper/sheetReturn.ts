// SPDX-License-Identifier: Apache-2.0
/** One return: looked at, written, taken back. */
import { offerUndo, sentence, useActing } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { type Ref } from 'vue'
import { useRoute } from 'vue-router'
import { sheetReturns, type SheetReturn } from '../api/sheets'

export function useReturn(): {
  back: Ref<SheetReturn | undefined>
  error: Ref<unknown>
  again: () => void
  failed: Ref<unknown>
  busy: Ref<boolean>
  commit: () => Promise<boolean>
  undo: () => Promise<boolean>
} {
  const id = String(useRoute().params.back)
  const query = useQuery({ queryKey: ['sheet-return', id], queryFn: () => sheetReturns.one(id) })
  const { act, busy, failed } = useActing(() => query.refetch())

  const undo = (): Promise<boolean> =>
    act(async () => {
      const { taken_back: takenBack = 0, stay = 0 } = await sheetReturns.undo(id)
      offerUndo(sentence(stay ? 'paper.undone_some' : 'paper.undone', { count: takenBack, stay }))
    })
  return {
    back: query.data,
    error: query.error,
    again: () => void query.refetch(),
    failed,
    busy,
    undo,
    commit: () =>
      act(async () => {
        await sheetReturns.commit(id)
        offerUndo(sentence('paper.committed'), async () => void (await undo()))
      }),
  }
}
