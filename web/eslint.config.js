// SPDX-License-Identifier: Apache-2.0
// Apps import packages and never each other; packages never import apps; the outbox and the rules know no Vue.
import vue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'

const anotherApp = (own) =>
  ['field', 'desk', 'command', 'welcome'].filter((app) => app !== own).map((app) => `**/apps/${app}/**`)

const fence = (files, group, message) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] },
})

const lengths = (max) => ['error', { max, skipBlankLines: true, skipComments: true }]

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', '**/dev/**', '**/public/**', '**/worker/**', 'packages/client/src/schema.ts'] },
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: { 'max-lines': lengths(200) },
  },
  {
    files: ['**/*.{ts,vue}'],
    rules: {
      'no-undef': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
      'prefer-const': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // Layout is a matter of taste that no bug hides in; the rest of the plugin's list stays.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/multi-word-component-names': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/no-v-html': 'error',
    },
  },
  { files: ['**/*.ts'], rules: { 'max-lines': lengths(400) } },
  { files: ['**/*.test.ts'], rules: { 'max-lines': 'off', '@typescript-eslint/no-non-null-assertion': 'off' } },
  fence(['packages/**'], ['**/apps/**'], 'A package never imports an app.'),
  fence(
    ['packages/outbox/**', 'packages/rules/**'],
    ['vue', 'vue-router', 'vant', 'vant/*', 'element-plus', '@muster/ui', '@muster/ui/*', '@muster/map', '**/apps/**'],
    'The outbox and the rules know no screen.',
  ),
  ...['field', 'desk', 'command', 'welcome'].map((app) =>
    fence(
      [`apps/${app}/**`],
      app === 'field'
        ? [...anotherApp(app), 'element-plus', 'echarts', 'maplibre-gl', '@muster/map']
        : [...anotherApp(app), 'vant', 'vant/*', 'dexie', '@muster/outbox'],
      'Apps import packages, never each other; the phone stays small.',
    ),
  ),
)
