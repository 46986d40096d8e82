// SPDX-License-Identifier: Apache-2.0
/** The phone reads names, phones and numbers as the server does: one file of vectors for both. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { cleanName, floorOf, isBlank, maskName, maskPhone, nameKey, readNumber, readPhone, type PhonePlan } from '../src'

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../../tests/vectors/${name}.json`, import.meta.url), 'utf-8')) as T
}

interface NameVectors {
  blank: { raw: string | null; blank: boolean }[]
  name: { raw: string | null; clean: string | null; key: string | null; mask: string }[]
  phone: { raw: string | null; plan: PhonePlan; result?: string | null; refusal?: string }[]
  phone_mask: { number: string | null; mask: string }[]
}

interface AddressVectors {
  number: { raw: string; value: number | null }[]
  floor: { room: string; floor: number | null }[]
}

const names = vectors<NameVectors>('names')
const addresses = vectors<AddressVectors>('addresses')

describe('names', () => {
  test.each(names.blank)('blank $raw', ({ raw, blank }) => {
    expect(isBlank(raw)).toBe(blank)
  })

  test.each(names.name)('name $raw', ({ raw, clean, key, mask }) => {
    expect({ clean: cleanName(raw), key: nameKey(raw), mask: maskName(raw) }).toEqual({ clean, key, mask })
  })

  test.each(names.phone)('phone $raw', ({ raw, plan, result, refusal }) => {
    const reading = readPhone(raw, plan)

    expect('fault' in reading ? { refusal: reading.fault } : { result: reading.number }).toEqual(refusal ? { refusal } : { result })
  })

  test.each(names.phone_mask)('phone mask $number', ({ number, mask }) => {
    expect(maskPhone(number)).toBe(mask)
  })
})

describe('doors', () => {
  test.each(addresses.number)('number $raw', ({ raw, value }) => {
    expect(readNumber(raw)).toBe(value)
  })

  test.each(addresses.floor)('floor of $room', ({ room, floor }) => {
    expect(floorOf(room)).toBe(floor)
  })
})
