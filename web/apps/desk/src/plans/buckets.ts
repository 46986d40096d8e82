// SPDX-License-Identifier: Apache-2.0
/** Puts sizes into equal steps that all series share. */

export function buckets(series: readonly (readonly number[])[], steps: number): { edges: number[]; counts: number[][] } {
  const all = series.flat()
  if (all.length === 0) return { edges: [], counts: series.map(() => []) }
  const smallest = Math.min(...all)
  const width = roundUp((Math.max(...all) - smallest + 1) / steps)
  const from = Math.floor(smallest / width) * width
  const places = Math.floor((Math.max(...all) - from) / width) + 1
  const edges = Array.from({ length: places }, (_, index) => from + index * width)
  const counts = series.map((sizes) => edges.map((edge) => sizes.filter((size) => size >= edge && size < edge + width).length))
  return { edges, counts }
}

/** A step people count in: 1, 2 or 5 times a power of ten. */
function roundUp(width: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, width)))
  return ([1, 2, 5, 10].find((times) => times * power >= width) ?? 10) * power
}
