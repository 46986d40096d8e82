// SPDX-License-Identifier: Apache-2.0
/** A grid's certificate: read, signed, and checked whether it is still true. */
import { useActing, type Tone } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, type ComputedRef, type Ref } from 'vue'
import { useRoute } from 'vue-router'
import { rounds } from '../api/calls'
import type { Certificate } from '../api/types'

type Shown = 'open' | 'ready' | 'signed' | 'outdated'
const TONES: Record<Shown, Tone> = { open: 'waiting', ready: 'now', signed: 'done', outdated: 'attention' }

export function useCertificate(): {
  certificate: Ref<Certificate | undefined>
  error: Ref<unknown>
  again: () => void
  reservations: Ref<string>
  sign: () => Promise<boolean>
  failed: Ref<unknown>
  busy: Ref<boolean>
  tone: ComputedRef<Tone>
  stateTerm: ComputedRef<string>
  link: string
} {
  const route = useRoute()
  const id = String(route.params.id)
  const gridId = Number(route.params.grid)
  const certificate = useQuery({ queryKey: ['certificate', id, gridId], queryFn: () => rounds.certificate(id, gridId) })
  const reservations = ref('')
  const { act, busy, failed } = useActing(() => certificate.refetch())
  return {
    certificate: certificate.data,
    error: certificate.error,
    again: () => void certificate.refetch(),
    reservations,
    failed,
    busy,
    tone: computed(() => TONES[shownState(certificate.data.value)]),
    stateTerm: computed(() => `certificate_state_${shownState(certificate.data.value)}`),
    link: `${location.origin}/desk/rounds/${id}/grids/${gridId}/certificate`,
    sign: () => act(() => rounds.sign(id, gridId, reservations.value.trim())),
  }
}

/** A signed certificate whose figures have moved since is shown as such, never quietly as signed. */
export function shownState(certificate: Pick<Certificate, 'state' | 'still_matches'> | undefined): Shown {
  if (certificate?.state === 'SIGNED') return certificate.still_matches ? 'signed' : 'outdated'
  return certificate?.state === 'READY' ? 'ready' : 'open'
}
