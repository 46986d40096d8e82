// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite'
import { appConfig } from '../../vite/app.ts'

export default defineConfig(appConfig({ name: 'command', floor: 'desk' }))
