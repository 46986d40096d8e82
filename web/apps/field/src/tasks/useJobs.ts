// SPDX-License-Identifier: Apache-2.0
/** The jobs of this phone's holder, asked for again and again while the page is looked at. Kept in memory only. */
import { actOnJob, readJobs, type JobAct, type JobsOptions, type JobsPage } from '@muster/client'
import { language } from '@muster/ui'
import { onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'
import { useField } from '../session/acting'

const EVERY_MS = 10_000

export function useJobs() {
  const { session } = useField()
  const page = shallowRef<JobsPage | null>(null)
  /** Code of what went wrong last; null when the list is fresh. */
  const trouble = ref<{ code: string; title: string } | null>(null)
  const busy = ref<string | null>(null)
  let timer: ReturnType<typeof setInterval> | undefined

  function options(): JobsOptions | null {
    const enrolment = session.enrolment.value
    return enrolment && { origin: location.origin, lease: enrolment.lease, fetch: window.fetch.bind(window), language: language.value }
  }

  async function look(): Promise<void> {
    const asking = options()
    if (!asking || document.visibilityState === 'hidden') return
    const answer = await readJobs(asking)
    if (answer.state === 'DONE') {
      page.value = answer.body
      if (trouble.value?.code === 'offline') trouble.value = null
    } else if (answer.code === 'offline') trouble.value = answer
  }

  /** Does it at the server; true when it is done. Somebody quicker is told, and the list comes anew. */
  async function act(id: string, what: JobAct, body: object = {}): Promise<boolean> {
    const asking = options()
    if (!asking || busy.value) return false
    busy.value = id
    const answer = await actOnJob(asking, id, what, body)
    busy.value = null
    trouble.value = answer.state === 'FAILED' ? answer : null
    if (answer.state === 'DONE' || answer.code !== 'offline') await look()
    return answer.state === 'DONE'
  }

  onMounted(() => {
    void look()
    timer = setInterval(() => void look(), EVERY_MS)
    document.addEventListener('visibilitychange', look)
  })
  onBeforeUnmount(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
  })
  return { page, trouble, busy, act, look }
}
