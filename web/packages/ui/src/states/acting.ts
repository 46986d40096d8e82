// SPDX-License-Identifier: Apache-2.0
/** One act at a time: while it is on its way its button waits, and what went wrong is kept to be shown. */
import { ref, type Ref } from 'vue'

export interface Acting {
  busy: Ref<boolean>
  failed: Ref<unknown>
  /** Runs it unless another is on its way; answers whether it was done. */
  act: (work: () => Promise<unknown>) => Promise<boolean>
}

/** `after` follows every act that was done, and belongs to it: reading anew, telling the page around. */
export function useActing(after?: () => unknown): Acting {
  const busy = ref(false)
  const failed = ref<unknown>(null)
  async function act(work: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    failed.value = null
    try {
      await work()
      await after?.()
      return true
    } catch (error) {
      failed.value = error
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, failed, act }
}
