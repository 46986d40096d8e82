// SPDX-License-Identifier: Apache-2.0
/** The clock laid over the phone's own, the key behind a PIN, the database that the browser closed under the page. */
import { beforeEach, describe, expect, test } from 'vitest'
import { reviving } from '../src/failures'
import { waitAfter } from '../src/pace'
import { isEasyPin, isPin, lockedKey, openLock } from '../src/pin'
import { seal, unseal } from '../src/seal'
import { outcomeAct, Phone } from './phone'
import { ModelServer } from './server'

const DAY = 24 * 60 * 60_000
let server: ModelServer
let phone: Phone

beforeEach(async () => {
  server = await ModelServer.start()
  phone = new Phone(server)
  server.offer('AAAA-0001', 'li')
})

const enrol = () => phone.open().enrol({ code: 'AAAA-0001', name: 'phone', origin: 'https://muster.test' })

describe('the clock', () => {
  test.each([-3, 3])('%d days off: acts are dated by the server once it was heard, and say by how much', async (days) => {
    const right = phone.now
    server.clock = () => right + (phone.now - right)
    const { device } = await enrol()
    const outbox = phone.open()
    await outbox.active()
    server.clock = () => phone.now - days * DAY
    await outbox.record(device, outcomeAct('p1'))
    await outbox.courier.wake()
    await outbox.record(device, outcomeAct('p2'))
    await outbox.courier.wake()

    const [first, second] = server.journal
    expect(Date.parse(second?.occurred_at ?? '') - Date.parse(first?.occurred_at ?? '')).toBe(-days * DAY)
    expect(JSON.parse(second?.text ?? '{}')).toMatchObject({ clock_off: -days * 24 * 60 * 60 })
    expect(JSON.parse(first?.text ?? '{}')).not.toHaveProperty('clock_off')
  })

  test('set back after the last word of the server, also by a flat battery: no act is older than that word', async () => {
    await enrol()
    const outbox = phone.open()
    await outbox.active()
    await outbox.time.hear(phone.now)
    const known = phone.now
    phone.now = 0

    const again = phone.open()
    await again.active()

    expect(again.time.now()).toBeGreaterThanOrEqual(known)
    phone.now += 60_000
    expect(again.time.now()).toBe(known + 60_000)
  })

  test('a minute is not worth a correction, nonsense is passed over', async () => {
    const outbox = phone.open()
    await outbox.time.hear(phone.now + 60_000)
    expect(outbox.time.correction).toBe(0)
    for (const said of ['', 'never', null, undefined, NaN, -1]) await outbox.time.hear(said)
    phone.now += 120_000
    expect(outbox.time.now()).toBe(phone.now)
  })
})

describe('the PIN', () => {
  test('opens what it locked, a wrong one does not, and the key is nowhere in plain', async () => {
    const { key, lock } = await lockedKey('270914')
    const sealed = await seal(key, 'CANARY', 'row')

    const opened = await openLock(lock, '270914')

    expect(opened && (await unseal(opened, sealed, 'row'))).toBe('CANARY')
    expect(await openLock(lock, '270915')).toBeNull()
    expect(key.extractable || lock.pepper.extractable || opened?.extractable).toBe(false)
  })

  test('what everybody tries first is not taken', () => {
    expect(['000000', '123456', '987654', '111111'].every(isEasyPin)).toBe(true)
    expect(['270914', '112233', '135790'].some(isEasyPin)).toBe(false)
    expect(['12345', '1234567', '12345a', ''].some(isPin)).toBe(false)
  })
})

describe('a browser that promises less', () => {
  test('is asked again sooner, but never before the server itself wants it', () => {
    expect(waitAfter(10, 1, 0, true)).toBeLessThan(waitAfter(10, 0, 0, false))
    expect(waitAfter(10, 0, 30_000, true)).toBe(30_000)
  })

  test('that closed the database under the page has it opened anew, once', async () => {
    const closed = Object.assign(new Error('closed'), { name: 'DatabaseClosedError' })
    const calls: string[] = []
    const base = { close: () => void calls.push('close'), open: () => Promise.resolve(calls.push('open')) }
    let left = 1
    const work = () => (left-- > 0 ? Promise.reject(closed) : Promise.resolve('kept'))

    expect(await reviving(base, work)).toBe('kept')
    expect(calls).toEqual(['close', 'open'])
    await expect(reviving(base, () => Promise.reject(closed))).rejects.toBe(closed)
    await expect(reviving({ ...base, ended: true }, () => Promise.reject(closed))).rejects.toBe(closed)
    expect(calls).toHaveLength(4)
  })
})
