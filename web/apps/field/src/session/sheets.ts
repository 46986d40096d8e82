// SPDX-License-Identifier: Apache-2.0
/** Which sheet stands over the screen is part of the address, so that the phone's back key closes the sheet and not the page. */
import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

export interface Sheets {
  /** The name of the open sheet, or empty. */
  open: ComputedRef<string>
  /** What it is about, if it needs to know. */
  about: ComputedRef<string>
  show: (name: string, about?: string) => void
  close: () => void
}

export function useSheets(): Sheets {
  const route = useRoute()
  const router = useRouter()
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  const open = computed(() => text(route.query.sheet))
  return {
    open,
    about: computed(() => text(route.query.about)),
    show: (name, about) => void router.push({ query: { sheet: name, ...(about && { about }) } }),
    close: () => {
      if (!open.value) return
      if (cameFromHere()) router.back()
      else void router.replace({ query: {} })
    },
  }
}

/** After a reload inside a sheet there is nothing of ours to go back to. */
export function cameFromHere(): boolean {
  const state = window.history.state as { back?: string | null } | null
  return typeof state?.back === 'string'
}
