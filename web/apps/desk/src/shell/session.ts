// SPDX-License-Identifier: Apache-2.0
/** Who is signed in, and what this house is: read once, kept for the whole window. */
import { pick, setTimeZone, suggestLanguage, useToken, type Bilingual } from '@muster/ui'
import { computed, readonly, shallowRef } from 'vue'
import { sessions } from '../api/calls'
import type { Pack, Session } from '../api/types'

const current = shallowRef<Session | null>(null)
const asked = shallowRef(false)

export const session = readonly(current)
export const isAsked = readonly(asked)
export const isDrill = computed(() => current.value?.is_drill ?? false)
export const incidentName = computed(() => {
  const name = current.value?.incident?.name
  return typeof name === 'string' ? name : pick(name)
})

export async function readSession(): Promise<Session | null> {
  try {
    enter(await sessions.read())
  } catch {
    current.value = null
  }
  asked.value = true
  return current.value
}

export async function signIn(username: string, password: string): Promise<void> {
  enter(await sessions.signIn(username, password))
  // The answer to signing in may be short; the full one carries the pack and the new token.
  await readSession()
}

export async function signOut(): Promise<void> {
  await sessions.signOut()
  current.value = null
}

export function forgetSession(): void {
  current.value = null
}

type PackList = 'needs' | 'services'

/** The word of a code that the pack defines; the code itself when this pack does not know it. */
export function packWord(list: PackList, code: string): string {
  const found = (current.value?.pack?.[list] ?? []).find((one: { code: string; name: Bilingual }) => one.code === code)
  return found ? pick(found.name) : code
}

export function postWord(type: string): string | null {
  const found = (current.value?.pack as Pack | undefined)?.posts?.find((one) => one.type === type)
  return found ? pick(found.name) : null
}

function enter(next: Session | null): void {
  if (!next?.user) return
  current.value = next
  useToken(next.csrf)
  suggestLanguage(next.user.lang)
  setTimeZone(next.incident?.time_zone)
}
