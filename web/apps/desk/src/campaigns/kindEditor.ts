// SPDX-License-Identifier: Apache-2.0
/** The editor of a campaign kind: loads it, keeps the draft, says what is wrong, saves it. */
import { offerUndo, sentence, type Bilingual } from '@muster/ui'
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
  save: () => Promise<void>
  copy: () => void
} {
  const route = useRoute()
  const router = useRouter()
  const kinds = useQuery({ queryKey: ['kinds'], queryFn: campaigns.kinds })
  const draft = ref<CampaignKind | null>(null)
  const failed = ref<unknown>(null)
  const busy = ref(false)
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
    isOwn: computed(() => isNew.value || draft.value?.own === true),
    wrong: computed(() => (draft.value ? problemsOf(draft.value) : [])),
    certificateText: computed(() => certificateOf(draft.value)),
    save: async () => {
      if (!coded.value) return
      busy.value = true
      failed.value = null
      try {
        const saved = plain(coded.value)
        await (isNew.value ? campaigns.addKind(saved) : campaigns.changeKind(saved))
        offerUndo(sentence('kinds.saved'))
        await kinds.refetch()
        await router.push('/kinds')
      } catch (error) {
        failed.value = error
      } finally {
        busy.value = false
      }
    },
    copy: () => {
      if (!draft.value) return
      draft.value = { ...plain(draft.value), key: '', version: 1, own: true, certificate: certificateOf(draft.value) }
      void router.push('/kinds/new')
    },
  }
}

/** A pack may write its certificate as sentences with conditions; here they read as one text. */
function certificateOf(kind: CampaignKind | null): Bilingual {
  const text = kind?.certificate
  if (!text) return { zh: '', en: '' }
  if (!Array.isArray(text)) return text
  return { zh: text.map((one) => one.zh).join(''), en: text.map((one) => one.en).join(' ') }
}

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
