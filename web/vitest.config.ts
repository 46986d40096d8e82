// SPDX-License-Identifier: Apache-2.0
// Tests that need a page say so in their first line: // @vitest-environment happy-dom
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { aliases } from './vite/app.ts'

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: aliases },
  test: {
    environment: 'node',
    include: ['packages/**/*.test.ts', 'apps/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 15_000,
  },
})
