// SPDX-License-Identifier: Apache-2.0
/** One person of the register with the story of the record; revealing is asked for field by field. */
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type ComputedRef, type Ref } from 'vue'
import { register } from '../api/calls'
import type { Disclosure, PersonPage, TimelineItem } from '../api/types'
import { mayAsk } from '../shell/session'

export function usePerson(id: Readonly<Ref<string | null>>): {
  person: Ref<PersonPage | undefined>
  error: Ref<unknown>
  again: () => void
  timeline: ComputedRef<TimelineItem[]>
  looked: ComputedRef<Disclosure[]>
  reveal: (field: string, purpose: string) => Promise<string>
} {
  const client = useQueryClient()
  const enabled = computed(() => id.value !== null)
  const own = (): string => id.value ?? ''
  const person = useQuery({ queryKey: ['person', id], queryFn: () => register.person(own()), enabled })
  const timeline = useQuery({ queryKey: ['person-timeline', id], queryFn: () => register.timeline(own()), enabled })
  const looked = useQuery({ queryKey: ['person-looked', id], queryFn: () => register.disclosures(own()), enabled: computed(() => id.value !== null && mayAsk('register.disclosures')) })
  return {
    person: person.data,
    error: person.error,
    again: () => void person.refetch(),
    timeline: computed(() => timeline.data.value?.items ?? []),
    looked: computed(() => looked.data.value?.items ?? []),
    reveal: async (field, purpose) => {
      const { value } = await register.reveal(own(), field, purpose)
      void client.invalidateQueries({ queryKey: ['person-looked', id.value] })
      return value
    },
  }
}
