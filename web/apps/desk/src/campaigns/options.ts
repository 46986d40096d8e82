// SPDX-License-Identifier: Apache-2.0
/** Options of a question as lines of text: one a line, the two languages parted by a slash. */
import type { Question } from '../api/types'

export function optionsText(options: Question['options']): string {
  return options.map((one) => `${one.name.zh} / ${one.name.en}`).join('\n')
}

/** An option keeps its value while its first name stays: old answers point at it. */
export function optionsFrom(text: string, before: Question['options']): Question['options'] {
  const taken = new Set<string>()
  return text
    .split('\n')
    .map((line) => line.split('/').map((part) => part.trim()))
    .filter(([zh]) => zh)
    .map(([zh = '', en], index) => {
      const known = before.find((one) => one.name.zh === zh)?.value
      const value = known && !taken.has(known) ? known : free(`option_${index + 1}`, taken, before)
      taken.add(value)
      return { value, name: { zh, en: en || zh } }
    })
}

function free(wanted: string, taken: ReadonlySet<string>, before: Question['options']): string {
  const used = (value: string): boolean => taken.has(value) || before.some((one) => one.value === value)
  if (!used(wanted)) return wanted
  for (let number = 2; ; number += 1) if (!used(`${wanted}_${number}`)) return `${wanted}_${number}`
}
