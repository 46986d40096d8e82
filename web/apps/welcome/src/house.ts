// SPDX-License-Identifier: Apache-2.0
/** What kind of house this is, and the one-click doors of a drill. */
import { request, setTimeZone, suggestLanguage, useOwnTerms, useToken, type Bilingual, type OwnTerm } from '@muster/ui'
import { shallowRef, type Ref } from 'vue'

export interface House {
  user: { name: string } | null
  incident: { name: string; time_zone: string } | null
  is_drill: boolean
  demo: boolean
  csrf: string
  pack: { key: string; name: Bilingual; language: 'zh' | 'en' } | null
}

export function useHouse(): { house: Ref<House | null>; failed: Ref<unknown>; read: () => Promise<void>; enter: (role: string, to: string) => Promise<void> } {
  const house = shallowRef<House | null>(null)
  const failed = shallowRef<unknown>(null)

  async function read(): Promise<void> {
    try {
      const found = await request<House>('/session')
      useToken(found.csrf)
      setTimeZone(found.incident?.time_zone)
      if (found.pack) suggestLanguage(found.pack.language)
      if (found.pack) useOwnTerms((await request<{ terms?: Record<string, OwnTerm> }>('/packs/current')).terms)
      house.value = found
      failed.value = null
    } catch (error) {
      failed.value = error
    }
  }

  /** Signs in as a role of the drill and goes to its page. */
  async function enter(role: string, to: string): Promise<void> {
    failed.value = null
    try {
      await request('/session/demo', { method: 'POST', body: { role } })
      location.assign(to)
    } catch (error) {
      failed.value = error
    }
  }

  return { house, failed, read, enter }
}
