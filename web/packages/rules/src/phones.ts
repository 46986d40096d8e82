// SPDX-License-Identifier: Apache-2.0
/** Phone numbers: one form to dial and to compare, a mask for lists. Same vectors as the server. */
import characters from './characters.json'
import { fold, identifier, plainDashes } from './writing'

export const PHONES_VERSION = 1

export interface PhonePlan {
  plan: 'cn' | 'international'
  country_code?: string
  trunk?: string
}

export type PhoneFault = 'phone_rounded' | 'phone_two_numbers' | 'phone_no_area_code' | 'phone_shape'
/** A number, nothing (blank), or what is wrong with it. */
export type PhoneReading = { number: string | null } | { fault: PhoneFault }

const MOBILE = /^1[3-9][0-9]{9}$/
const LANDLINE = /^(?:010|02[0-9]|0[3-9][0-9]{2})[0-9]{7,8}$/
const ROUNDED = /^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$/
const BETWEEN = characters.between_numbers
const TWO = new RegExp(`[0-9]{7,}\\s*[${BETWEEN}]\\s*\\+?[0-9]{3,}|[0-9]{11}\\s+[0-9]{7,}`)

export function readPhone(raw: string | null | undefined, plan: PhonePlan = { plan: 'cn' }): PhoneReading {
  const written = identifier(raw)
  if (written === null) return { number: null }
  if (ROUNDED.test(written)) return { fault: 'phone_rounded' }
  if (TWO.test(plainDashes(written))) return { fault: 'phone_two_numbers' }
  const whole = written.replace(/\.0$/, '')
  if (/\p{L}|(?![0-9])\p{N}/u.test(whole)) return { fault: 'phone_shape' }
  return plan.plan === 'cn' ? chinese(whole) : international(whole, plan)
}

function chinese(written: string): PhoneReading {
  let digits = written.replace(/[^0-9]/g, '')
  if (/^(\+|00)/.test(written)) {
    if (!digits.replace(/^0+/, '').startsWith('86')) return withCountry(digits.replace(/^00/, ''))
    digits = digits.replace(/^0+/, '').replace(/^86/, '')
  } else if (digits.length === 13 && digits.startsWith('86')) digits = digits.slice(2)
  if (MOBILE.test(digits) || LANDLINE.test(digits)) return { number: digits }
  if (LANDLINE.test(`0${digits}`) && digits.length >= 9 && written.startsWith('+')) return { number: `0${digits}` }
  return { fault: /^[2-8][0-9]{6,7}$/.test(digits) ? 'phone_no_area_code' : 'phone_shape' }
}

function international(raw: string, { country_code = '', trunk = '' }: PhonePlan): PhoneReading {
  const written = raw.split('(0)').join('')
  const digits = written.replace(/[^0-9]/g, '')
  if (written.startsWith('+')) return withCountry(digits)
  if (digits.startsWith('00')) return withCountry(digits.slice(2))
  if (!country_code) return { fault: 'phone_no_area_code' }
  const national = trunk && digits.startsWith(trunk) ? digits.slice(trunk.length) : digits
  const hasCountry = national === digits && digits.startsWith(country_code)
  if (trunk && national === digits && !hasCountry) return { fault: 'phone_no_area_code' }
  return withCountry(hasCountry ? digits : country_code + national)
}

function withCountry(digits: string): PhoneReading {
  const good = digits.length >= 8 && digits.length <= 15 && !digits.startsWith('0')
  return good ? { number: `+${digits}` } : { fault: 'phone_shape' }
}

/** 138****5678; short numbers keep their last two figures. */
export function maskPhone(number: string | null | undefined): string {
  if (!number) return ''
  const folded = fold(number)
  return folded.length >= 11 ? `${folded.slice(0, 3)}****${folded.slice(-4)}` : `****${folded.slice(-2)}`
}
