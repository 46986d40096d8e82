// SPDX-License-Identifier: Apache-2.0
/** The one sentence on top of every screen: has it arrived, and what must the worker know or do. */
import { formatTime, language, useWords, type Tone } from '@muster/ui'
import { computed, type ComputedRef } from 'vue'
import type { Session } from './session'

export interface PhoneState {
  tone: Tone
  text: string
}

const TROUBLES: Record<string, string> = {
  server_busy: 'strip.busy',
  server_error: 'strip.server_error',
  lease_unknown: 'strip.lease',
  receipt_malformed: 'strip.receipt',
  receipt_of_another: 'strip.receipt',
  receipt_unsigned: 'strip.receipt',
  phone_storage: 'strip.phone_storage',
}
/** The server does not know this lease at all: it is not from this house, or from before a restore. */
const UNKNOWN_LEASE = new Set(['lease_unknown', 'lease_forged', 'lease_malformed', 'not_signed_in'])
const HOPELESS = new Set(['lease_unknown', 'phone_storage'])

export function usePhoneState(session: Session): ComputedRef<PhoneState> {
  const { t } = useWords()
  return computed<PhoneState>(() => {
    const { local, uploaded, refused } = session.counts.value
    const isUnknown = UNKNOWN_LEASE.has(session.pullTrouble.value ?? '')
    const trouble = isUnknown ? 'lease_unknown' : (session.sendTrouble.value ?? '')
    const offline = !session.online.value || trouble === 'offline'
    const unsent = t('strip.unsent', { n: local })
    const ended = session.enrolment.value?.reading_ended ?? (session.standing.value === 'READS' ? undefined : 'lease_expired')
    if (ended) return { tone: 'danger', text: joined(t(ended === 'lease_revoked' ? 'strip.revoked' : 'strip.reading_ended'), local > 0 && unsent) }
    if (refused > 0) return { tone: 'danger', text: t('strip.refused', { n: refused }) }
    if (!session.whole.value && session.pulling.value) {
      return { tone: 'now', text: t('strip.first_pull', { n: session.fetched.value }) }
    }
    if (session.pullTrouble.value === 'storage_full') return { tone: 'danger', text: joined(t('strip.phone_full'), local > 0 && unsent) }
    if (local > 0) {
      const why = offline ? t('strip.offline') : TROUBLES[trouble] ? t(TROUBLES[trouble]) : t('strip.keep')
      return { tone: HOPELESS.has(trouble) ? 'danger' : 'attention', text: joined(unsent, why) }
    }
    if (isUnknown) return { tone: 'danger', text: t('strip.lease') }
    if (offline) return { tone: 'waiting', text: t('strip.offline') }
    if (uploaded > 0) return { tone: 'done', text: t('strip.waiting', { n: uploaded }) }
    const at = session.lastContact.value
    if (at === null) return { tone: 'waiting', text: t('strip.all_sent_never') }
    return { tone: 'done', text: t('strip.all_sent', { time: formatTime(at, language.value) }) }
  })

  function joined(...parts: (string | false)[]): string {
    return parts.filter(Boolean).join(language.value === 'zh' ? '\uff0c' : '; ')
  }
}
