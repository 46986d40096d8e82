// SPDX-License-Identifier: Apache-2.0
/** The coverage ramp: one hue, light to dark, six steps; the last one only for what is wholly done. */

export const STEPS = [0, 0.2, 0.5, 0.8, 0.95, 1] as const

export const PALETTE_NAMES = [
  'ground', 'compound', 'building', 'road', 'road-edge', 'water', 'green', 'wall',
  '0', '1', '2', '3', '4', '5', 'none', 'missing', 'line', 'danger', 'attention',
] as const
export type PaletteName = (typeof PALETTE_NAMES)[number]
export type Palette = Record<PaletteName, string>

/** The step of a share: 100 % only when nothing is left, step 0 only when nothing is done. */
export function stepOf(share: number | null): number | null {
  if (share === null || !Number.isFinite(share)) return null
  if (share >= 1) return 5
  if (share <= 0) return 0
  return STEPS.findLastIndex((from) => share >= from && from < 1)
}

/** Colours as the tokens of the page say just now (they change with the theme). */
export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element)
  return Object.fromEntries(PALETTE_NAMES.map((name) => [name, style.getPropertyValue(`--map-${name}`).trim() || '#888888'])) as Palette
}
