// SPDX-License-Identifier: Apache-2.0
/** Kinds of teams, and their posts and zones, in the words of the pack. */
import { pick } from '@muster/ui'
import { computed, type ComputedRef } from 'vue'
import type { Named } from '../api/types'
import { pack } from '../shell/session'

export function usePackLists(): { kinds: ComputedRef<readonly Named[]>; places: ComputedRef<readonly Named[]> } {
  return { kinds: computed(() => pack.value?.team_kinds ?? []), places: computed(() => pack.value?.team_posts ?? []) }
}

export function nameOf(list: readonly Named[], code: string): string {
  const found = list.find((one) => one.code === code)
  return found ? pick(found.name) : code
}
