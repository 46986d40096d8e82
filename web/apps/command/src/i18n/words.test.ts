// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url'
import { checkPageWords } from '@muster/ui/testing/pageWordsChecks'
import en from './en.json'
import zh from './zh.json'

checkPageWords(fileURLToPath(new URL('..', import.meta.url)), { zh, en })
