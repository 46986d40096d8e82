// SPDX-License-Identifier: Apache-2.0
/** Both languages say the same, every sentence that is asked for exists, and no Chinese stands in the code. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { flatten, isTerm, nounsIn } from '@muster/ui'
import { describe, expect, test } from 'vitest'
import en from '../src/i18n/en.json'
import zh from '../src/i18n/zh.json'

const WEB = fileURLToPath(new URL('../../..', import.meta.url))
const CODE = ['apps/field/src', 'apps/field/tests', 'packages/outbox', 'packages/rules', 'packages/client', 'vite']
const texts = { zh: flatten(zh), en: flatten(en) }

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? files(path) : /\.(vue|ts|css|js)$/.test(name) ? [path] : []
  })
}

const sources = CODE.flatMap((folder) => files(join(WEB, folder)))
const ours = sources.filter((path) => path.includes('apps/field/src')).map((path) => readFileSync(path, 'utf-8'))

/** Keys that are put together in the code. */
const BUILT = new RegExp(
  [
    'messages[.]codes[.].+|messages[.](held|quarantined|flagged|refused)|failed[.].+|tabs[.].+|today[.](show|left)_.+',
    'enrol[.](offline|code_unknown|code_used|code_expired|key_bad)|me[.](local|uploaded|settled)|ask[.](note|proof)(_hint)?',
    'history[.](entry_outcome|door_state|person_found|door_found|person_moved|person_changed|fact_undone|contact_tried|need_seen|note_written|work_(taken|arrived|done|held)|trip_step|duty_step)',
    'moved[.](left_city|within|into)|scan[.](denied|none|loading)',
    'clock[.](minutes|hours|days)',
    'carry[.].+',
    'tasks[.](urgency|declines|outcomes|holds)[.].+',
    'door[.](found|moved|correct|note|history|vacant|no_answer|refused|reached_yes|reached_no)',
  ]
    .map((one) => `^(${one})$`)
    .join('|'),
)

describe('words', () => {
  test('same keys in both languages', () => {
    expect(Object.keys(texts.en).sort()).toEqual(Object.keys(texts.zh).sort())
  })

  test.each(Object.keys(texts.zh))('%s names the same facts in both languages', (key) => {
    const facts = (text = '') => [...new Set([...text.matchAll(/\{([a-z_]+)[|}]/g)].map((found) => found[1]))].sort()

    expect(facts(texts.en[key])).toEqual(facts(texts.zh[key]))
    expect(texts.zh[key]).not.toMatch(/[!\uff01]/)
    expect(texts.en[key]).not.toMatch(/!/)
  })

  test('every noun is in the list of terms', () => {
    const nouns = Object.values({ ...texts.zh, ...texts.en }).flatMap(nounsIn)

    expect(nouns.filter((noun) => !isTerm(noun))).toEqual([])
  })

  test('every sentence that a screen asks for exists', () => {
    const asked = ours.flatMap((code) => [...code.matchAll(/\b(?:t|sentence)\('([a-z_]+\.[a-z_.]+)'/g)].map((found) => found[1] ?? ''))

    expect(asked.length).toBeGreaterThan(100)
    expect([...new Set(asked)].filter((key) => !(key in texts.zh))).toEqual([])
  })

  test('no sentence that nobody asks for', () => {
    const code = ours.join('\n')
    const unused = Object.keys(texts.zh).filter((key) => !code.includes(`'${key}'`) && !BUILT.test(key))

    expect(unused).toEqual([])
  })

  test('no Chinese stands in the code', () => {
    const chinese = sources.filter((path) => {
      const code = readFileSync(path, 'utf-8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      return /[\u3400-\u9fff]/.test(code) && !path.endsWith('parts.test.ts') && !path.endsWith('outbox.test.ts')
    })

    expect(chinese).toEqual([])
  })
})
