// SPDX-License-Identifier: Apache-2.0
/** Light or dark: remembered on this machine; each surface has its own first choice. */
import { readonly, shallowRef } from 'vue'

export type Theme = 'light' | 'dark'
const current = shallowRef<Theme>('light')

export const theme = readonly(current)

export function startTheme(surface: string, first: Theme): void {
  current.value = stored(surface) ?? first
  document.documentElement.dataset.theme = current.value
}

export function setTheme(surface: string, next: Theme): void {
  current.value = next
  document.documentElement.dataset.theme = next
  try {
    localStorage.setItem(`muster.theme.${surface}`, next)
  } catch {
    // Kept for this page only.
  }
}

function stored(surface: string): Theme | null {
  try {
    const value = localStorage.getItem(`muster.theme.${surface}`)
    return value === 'light' || value === 'dark' ? value : null
  } catch {
    return null
  }
}
