// SPDX-License-Identifier: Apache-2.0
/** The language of the page: one value for the whole window, remembered on this machine. */
import { readonly, shallowRef } from 'vue'

export type Language = 'zh' | 'en'
export interface Bilingual {
  zh: string
  en: string
}

const STORED_AS = 'muster.language'
const current = shallowRef<Language>(stored() ?? 'zh')

export const language = readonly(current)
if (typeof document !== 'undefined') markDocument()

export function setLanguage(next: Language): void {
  current.value = next
  markDocument()
  try {
    localStorage.setItem(STORED_AS, next)
  } catch {
    // A browser may forbid storage; the choice then lasts for this page.
  }
}

/** The signed-in person's language counts only while nobody has chosen by hand on this machine. */
export function suggestLanguage(next: Language): void {
  if (stored() === null) {
    current.value = next
    markDocument()
  }
}

/** The text of a bilingual value; the other language is better than nothing. */
export function pick(text: Partial<Bilingual> | null | undefined, lang: Language = current.value): string {
  if (!text) return ''
  return text[lang] || text.zh || text.en || ''
}

function stored(): Language | null {
  try {
    const value = localStorage.getItem(STORED_AS)
    return value === 'zh' || value === 'en' ? value : null
  } catch {
    return null
  }
}

function markDocument(): void {
  document.documentElement.lang = current.value === 'zh' ? 'zh-CN' : 'en'
}
