// SPDX-License-Identifier: Apache-2.0
/** Who is signed in, and what this house is: read once, kept for the whole window. */
import { head, isTerm, pick, setTimeZone, suggestLanguage, term, useOwnTerms, useToken } from '@muster/ui'
import { computed, readonly, shallowRef } from 'vue'
import { sessions } from '../api/calls'
import type { Grant, Pack, Session } from '../api/types'

export type SignedIn = Session & { user: NonNullable<Session['user']> }

const current = shallowRef<SignedIn | null>(null)
const asked = shallowRef(false)
const words = shallowRef<Pack | null>(null)

export const session = readonly(current)
export const pack = readonly(words)
export const isAsked = readonly(asked)
/** Whether this house has doors without a password: a drill. */
export const isDemoHouse = shallowRef(false)
export const isDrill = computed(() => current.value?.is_drill ?? false)
export const incidentName = computed(() => current.value?.incident?.name ?? '')
export const roleName = computed(() => {
  const [first] = current.value?.grants ?? []
  return first ? roleWord(first) : (current.value?.user.title ?? '')
})

/** A role in the pack's words, else as the server names it. */
export function roleWord(grant: Pick<Grant, 'role' | 'role_name'>): string {
  const noun = `role_${grant.role}`
  return isTerm(noun) ? head(term(noun)) : pick(grant.role_name)
}

export async function readSession(): Promise<SignedIn | null> {
  try {
    enter(await sessions.read())
    if (current.value && !words.value) {
      words.value = await sessions.pack()
      useOwnTerms(words.value.terms)
    }
  } catch {
    current.value = null
  }
  asked.value = true
  return current.value
}

export async function signIn(username: string, password: string): Promise<void> {
  await sessions.signIn(username, password)
  // Signing in turns the token; the session is read again to hold the new one.
  await readSession()
}

export async function signOut(): Promise<void> {
  await sessions.signOut()
  current.value = null
  await readSession()
}

export function forgetSession(): void {
  current.value = null
}

/** Whether the server's table gives this operation to one of the caller's roles. */
export function mayAsk(operation: string): boolean {
  return current.value?.may.includes(operation) ?? false
}

/** Whether one of the caller's roles is among these; what it says is only what is shown, the server decides. */
export function hasRole(...roles: string[]): boolean {
  return current.value?.grants.some((grant) => roles.includes(grant.role)) ?? false
}

/** The word of a code that the pack defines; the code itself when this pack does not know it. */
export function packWord(list: 'needs' | 'services', code: string): string {
  const found = words.value?.[list]?.find((one) => one.code === code)
  return found ? pick(found.name) : code
}

export function postWord(type: string): string | null {
  const found = words.value?.posts?.find((one) => one.type === type)
  return found ? pick(found.name) : null
}

/** What is written of a post, in the reader's language where it is the pack's own text. */
export function postText(type: string, part: 'name' | 'duty', written: string): string {
  const known = words.value?.posts?.find((one) => one.type === type)?.[part]
  return known && (written === known.zh || written === known.en) ? pick(known) : written
}

function enter(next: Session): void {
  useToken(next.csrf)
  setTimeZone(next.incident?.time_zone)
  current.value = isSignedIn(next) ? next : null
  isDemoHouse.value = next.demo
  const lang = next.user?.lang ?? next.pack?.language
  if (lang) suggestLanguage(lang)
}

function isSignedIn(next: Session): next is SignedIn {
  return next.user !== null
}
