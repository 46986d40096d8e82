// SPDX-License-Identifier: Apache-2.0
/** The editor of a campaign kind: loads it, keeps the draft, says what is wrong, saves it. */
import { offerUndo, sentence, useActing, type Bilingual } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, watch, type ComputedRef, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { campaigns } from '../api/calls'
import type { CampaignKind } from '../api/types'
import { newKind, problemsOf, withCodes } from './kindDraft'

export function useKindEditor(): {
  draft: Ref<CampaignKind | null>
  coded: ComputedRef<CampaignKind | null>
  isOwn: ComputedRef<boolean>
  isNew: ComputedRef<boolean>
  wrong: ComputedRef<string[]>
  failed: Ref<unknown>
  busy: Ref<boolean>
  certificateText: ComputedRef<Bilingual>
  setCertificate: (text: Bilingual) => void
  save: () => Promise<void>
  copy: () => void
} {
  const route = useRoute()
  const router = useRouter()
  const kinds = useQuery({ queryKey: ['kinds'], queryFn: campaigns.kinds })
  const draft = ref<CampaignKind | null>(null)
  const { act, busy, failed } = useActing()
  const key = computed(() => String(route.params.key))
  const isNew = computed(() => key.value === 'new')
  const known = computed(() => kinds.data.value?.items ?? [])

  watch([key, known], () => {
    if (isNew.value) draft.value ??= newKind()
    else if (draft.value?.key !== key.value) draft.value = structuredClone(plain(known.value.find((one) => one.key === key.value) ?? null))
  }, { immediate: true })

  const coded = computed(() => draft.value && withCodes(draft.value, known.value.map((one) => one.key)))

  return {
    draft,
    coded,
    isNew,
    failed,
    busy,
    isOwn: computed(() => isNew.value || draft.value?.from === 'desk'),
    wrong: computed(() => (draft.value ? problemsOf(draft.value) : [])),
    certificateText: computed(() => certificateOf(draft.value)),
    setCertificate: (text) => {
      if (draft.value) draft.value.certificate = sentencesOf(text, draft.value.certificate)
    },
    save: async () => {
      if (!coded.value) return
      const saved = cleaned(coded.value)
      await act(async () => {
        await (isNew.value ? campaigns.addKind(saved) : campaigns.changeKind(saved))
        offerUndo(sentence('kinds.saved'))
        await kinds.refetch()
        await router.push('/kinds')
      })
    },
    copy: () => {
      if (!draft.value) return
      draft.value = { ...plain(draft.value), key: '', version: 1, from: 'desk' }
      void router.push('/kinds/new')
    },
  }
}

/** The certificate is kept as sentences, some with a condition; here they are lines of one text. */
export function certificateOf(kind: Pick<CampaignKind, 'certificate'> | null): Bilingual {
  const lines = kind?.certificate ?? []
  return { zh: lines.map((one) => one.zh).join('\n'), en: lines.map((one) => one.en).join('\n') }
}

/** A line keeps its condition as long as it stays where it was and one of its texts is unchanged. */
export function sentencesOf(text: Bilingual, before: CampaignKind['certificate']): CampaignKind['certificate'] {
  const zh = text.zh.split('\n')
  const en = text.en.split('\n')
  return Array.from({ length: Math.max(zh.length, en.length) }, (_, index) => {
    const line = { zh: zh[index] ?? '', en: en[index] ?? '' }
    const old = before[index]
    const isSame = old !== undefined && (old.zh === line.zh || old.en === line.en)
    return isSame && old.when ? { ...line, when: old.when } : line
  }).filter((line) => line.zh !== '' || line.en !== '')
}

/** What is sent: no empty texts that the pack's own would otherwise fill, no marks of this page. */
function cleaned(kind: CampaignKind): CampaignKind {
  const sent = { ...plain(kind), chat: kind.chat?.zh && kind.chat.en ? kind.chat : null }
  delete sent.from
  return sent
}

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
