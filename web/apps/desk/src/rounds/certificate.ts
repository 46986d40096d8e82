// SPDX-License-Identifier: Apache-2.0
/** A grid's certificate: read, signed, and checked whether it is still true. */
import type { Tone } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, type ComputedRef, type Ref } from 'vue'
import { useRoute } from 'vue-router'
import { grids, rounds } from '../api/calls'
import type { Certificate, GridPage, Round } from '../api/types'

const TONES: Record<Certificate['state'], Tone> = { OPEN: 'waiting', READY: 'now', SIGNED: 'done', OUTDATED: 'attention' }

export function useCertificate(): {
  certificate: Ref<Certificate | undefined>
  round: Ref<Round | undefined>
  grid: Ref<GridPage | undefined>
  error: Ref<unknown>
  again: () => void
  reservations: Ref<string>
  sign: () => Promise<void>
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
  const round = useQuery({ queryKey: ['round', id], queryFn: () => rounds.one(id) })
  const grid = useQuery({ queryKey: ['grid', gridId], queryFn: () => grids.one(gridId) })
  const reservations = ref('')
  const failed = ref<unknown>(null)
  const busy = ref(false)
  return {
    certificate: certificate.data,
    round: round.data,
    grid: grid.data,
    error: certificate.error,
    again: () => void certificate.refetch(),
    reservations,
    failed,
    busy,
    tone: computed(() => TONES[certificate.data.value?.state ?? 'OPEN']),
    stateTerm: computed(() => `certificate_state_${(certificate.data.value?.state ?? 'OPEN').toLowerCase()}`),
    link: `${location.origin}/desk/rounds/${id}/grids/${gridId}/certificate`,
    sign: async () => {
      busy.value = true
      failed.value = null
      try {
        await rounds.sign(id, gridId, reservations.value.trim())
        await certificate.refetch()
      } catch (error) {
        failed.value = error
      } finally {
        busy.value = false
      }
    },
  }
}
