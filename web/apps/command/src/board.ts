// SPDX-License-Identifier: Apache-2.0
/** The state of the wall: which round, which place, its figures, its parts, its map. */
import type { Shade, Shapes } from '@muster/map'
import { request, setTimeZone, suggestLanguage, useOwnTerms, useToken, type OwnTerm } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { computed, onBeforeUnmount, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { isOld, missingIn, rowOf, shareOf } from './figures'
import { useLive, type Live } from './live'
import type { Area, Decision, Grid, Round, Row, Session, Snapshot } from './shapes'

export interface Part {
  kind: 'areas' | 'grids'
  id: number
  name: string
  row: Row
}

export interface Board extends Live {
  session: Ref<Session | undefined>
  signedOut: ComputedRef<boolean>
  round: ComputedRef<Round | null>
  rounds: ComputedRef<Round[]>
  crumbs: ComputedRef<{ id: number; name: string; kind: Part['kind'] }[]>
  grid: Ref<number | null>
  row: ComputedRef<Row>
  parts: ComputedRef<Part[]>
  stale: ComputedRef<Part[]>
  base: ComputedRef<Shapes | null>
  shapes: ComputedRef<Shapes | null>
  buildings: ComputedRef<Shapes | null>
  shades: ComputedRef<Map<number, Shade>>
  decisions: ComputedRef<Decision[]>
  now: Ref<number>
  choose: (round: string) => void
  go: (kind: Part['kind'], id: number) => void
  up: () => void
}

const ORDER = ['OPEN', 'CLOSING', 'CLOSED', 'ROSTER_FROZEN', 'CERTIFIED', 'PLANNED']

export function useBoard(): Board {
  const now = shallowRef(Date.now())
  const clock = setInterval(() => (now.value = Date.now()), 5_000)
  onBeforeUnmount(() => clearInterval(clock))

  const session = useQuery({ queryKey: ['session'], queryFn: () => request<Session>('/session'), staleTime: Infinity })
  const isIn = computed(() => Boolean(session.data.value?.user))
  const pack = useQuery({ queryKey: ['pack'], queryFn: () => request<{ terms?: Record<string, OwnTerm> }>('/packs/current'), staleTime: Infinity })
  watch(pack.data, (told) => useOwnTerms(told?.terms))
  watch(session.data, (told) => {
    useToken(told?.csrf ?? '')
    setTimeZone(told?.incident?.time_zone)
    if (told?.user) suggestLanguage(told.user.lang)
  })

  const roundList = useQuery({ queryKey: ['rounds'], queryFn: () => request<{ items: Round[] }>('/rounds'), enabled: isIn, refetchInterval: 60_000 })
  const chosen = shallowRef<string | null>(null)
  const rounds = computed(() => [...(roundList.data.value?.items ?? [])].sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status) || b.number - a.number))
  const round = computed(() => rounds.value.find((one) => one.id === chosen.value) ?? rounds.value[0] ?? null)
  const live = useLive(computed(() => round.value?.id ?? null))

  const area = shallowRef<number | null>(null)
  const grid = shallowRef<number | null>(null)
  const here = computed(() => area.value ?? round.value?.area ?? null)
  const place = useQuery({ queryKey: ['area', here], queryFn: () => request<Area>(`/areas/${here.value}`), enabled: computed(() => here.value !== null), staleTime: Infinity })
  const below = useQuery({ queryKey: ['areas', here], queryFn: () => request<{ items: Area[] }>('/areas', { query: { parent: here.value } }), enabled: computed(() => here.value !== null), staleTime: Infinity })
  const isLeaf = computed(() => below.data.value?.items.length === 0)
  const gridList = useQuery({ queryKey: ['grids', here], queryFn: () => request<{ items: Grid[] }>('/grids', { query: { area: here.value, level: 'SMALL' } }), enabled: computed(() => isLeaf.value && here.value !== null), staleTime: 300_000 })
  const base = useQuery({ queryKey: ['base', round], queryFn: () => request<Shapes>('/map/base.geojson', { query: { area: round.value?.area } }), enabled: computed(() => round.value !== null), staleTime: Infinity })
  const map = useQuery({ queryKey: ['grid-map', here], queryFn: () => request<Shapes>('/map/grids.geojson', { query: { area: here.value, level: 'SMALL' } }), enabled: computed(() => here.value !== null), staleTime: Infinity })
  const houses = useQuery({ queryKey: ['houses', here], queryFn: () => request<Shapes>('/map/buildings.geojson', { query: { area: here.value } }), enabled: isLeaf, staleTime: Infinity })
  const inbox = useQuery({ queryKey: ['inbox'], queryFn: () => request<{ items: Decision[] }>('/inbox'), enabled: isIn, refetchInterval: 10_000 })

  const shapes = computed(() => map.data.value ?? null)
  const onMap = computed<Part[]>(() => (shapes.value?.features ?? []).map((one) => part('grids', Number(one.properties.id), String(one.properties.name), live.snapshot.value)))
  const parts = computed<Part[]>(() => {
    const snapshot = live.snapshot.value
    if (isLeaf.value) return (gridList.data.value?.items ?? []).map((one) => part('grids', one.id, one.name, snapshot))
    return (below.data.value?.items ?? []).map((one) => part('areas', one.id, one.name, snapshot)).filter((one) => one.row.roster > 0)
  })
  // A city whose tree begins with one district in one city is looked at where it branches, until somebody goes up.
  let isPlaced = false
  watch(below.data, (told) => {
    const [only, second] = told?.items ?? []
    if (!isPlaced && only && !second) area.value = only.id
    else if (told) isPlaced = true
  })

  const openedAt = computed(() => round.value?.opened_at ?? null)
  const nameOfGrid = computed(() => onMap.value.find((one) => one.id === grid.value)?.name ?? '')

  return {
    ...live,
    session: session.data,
    signedOut: computed(() => session.isFetched.value && !isIn.value),
    round,
    rounds,
    grid,
    now,
    parts,
    shapes,
    buildings: computed(() => (isLeaf.value ? (houses.data.value ?? null) : null)),
    base: computed(() => base.data.value ?? null),
    crumbs: computed(() => [
      ...(place.data.value?.breadcrumb ?? []).map((one) => ({ id: one.id, name: one.name, kind: 'areas' as const })),
      ...(grid.value === null ? [] : [{ id: grid.value, name: nameOfGrid.value, kind: 'grids' as const }]),
    ]),
    row: computed(() => (grid.value === null ? rowOf(live.snapshot.value, 'areas', here.value) : rowOf(live.snapshot.value, 'grids', grid.value))),
    stale: computed(() => onMap.value.filter((one) => isOld(one.row, openedAt.value, now.value))),
    shades: computed(() => new Map(onMap.value.map((one) => [one.id, { share: shareOf(one.row), missing: missingIn(one.row), stale: isOld(one.row, openedAt.value, now.value) }]))),
    decisions: computed(() => inbox.data.value?.items ?? []),
    choose: (id) => {
      chosen.value = id
      area.value = null
      grid.value = null
    },
    go: (kind, id) => {
      isPlaced = true
      grid.value = kind === 'grids' ? id : null
      if (kind === 'areas') area.value = id
    },
    up: () => {
      isPlaced = true
      const trail = place.data.value?.breadcrumb ?? []
      if (grid.value !== null) grid.value = null
      else if (here.value !== round.value?.area && trail.length > 1) area.value = trail[trail.length - 2]?.id ?? null
    },
  }
}

function part(kind: Part['kind'], id: number, name: string, snapshot: Snapshot | null): Part {
  return { kind, id, name, row: rowOf(snapshot, kind, id) }
}
