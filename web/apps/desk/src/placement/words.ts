// SPDX-License-Identifier: Apache-2.0
/** How plans, places and posts are said. */
import { formatCount, language, pick, type Tone } from '@muster/ui'
import type { PlaceName, PlacementState, PostWords } from '../api/placement'

export const TONES: Record<PlacementState, Tone> = {
  QUEUED: 'waiting', RUNNING: 'now', READY: 'attention', FAILED: 'danger', ADOPTING: 'now', PARTLY: 'attention',
  ADOPTED: 'done', TAKING_BACK: 'now', TAKEN_BACK: 'noted',
}

export const isMoving = (state: PlacementState | undefined): boolean => state !== undefined && ['QUEUED', 'RUNNING', 'ADOPTING', 'TAKING_BACK'].includes(state)

export const hasProposal = (state: PlacementState | undefined): boolean => state !== undefined && !['QUEUED', 'RUNNING', 'FAILED'].includes(state)

export function placeName(place: PlaceName | null | undefined): string {
  if (!place) return '—'
  return language.value === 'en' ? place.name_en || place.name : place.name
}

export function postName(posts: readonly PostWords[] | undefined, post: string): string {
  const known = posts?.find((one) => one.type === post)
  return known ? pick(known.name) : post
}

/** Sides of the histogram as words: up to 200, 200–500, …, over 5000. */
export function walkWords(edges: readonly number[]): { from: number; to: number | null }[] {
  return [0, ...edges].map((from, index) => ({ from, to: edges[index] ?? null }))
}

export const number = (value: number): string => formatCount(value, language.value)
