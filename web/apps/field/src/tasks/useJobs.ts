// SPDX-License-Identifier: Apache-2.0
/**
 * The jobs of this phone's holder, asked for again and again while the page is looked at, and kept sealed on the phone.
 * What is done at a door is recorded like everything else: it waits for nobody.
 */
import { actOnJob, readJobs, type JobAct, type JobsOptions, type JobsPage, type Waiting } from '@muster/client'
import { language } from '@muster/ui'
import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch } from 'vue'
import { useField } from '../session/acting'
import { toldPage } from './told'

const EVERY_MS = 10_000

export function useJobs() {
  const { session, acts } = useField()
  const heard = shallowRef<JobsPage | null>(null)
  const page = computed(() => heard.value && toldPage(heard.value, session.mine.value))
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
      heard.value = answer.body
      if (trouble.value?.code === 'offline') trouble.value = null
      await session.keepJobs(JSON.stringify(answer.body)).catch(() => undefined)
    } else if (answer.code === 'offline') trouble.value = answer
  }

  /** The list as it was last heard, until somebody answers. */
  async function recall(): Promise<void> {
    const kept = await session.keptJobs().catch(() => null)
    if (kept && !heard.value) heard.value = JSON.parse(kept) as JobsPage
  }

  /** Asks the server; true when it is done. Somebody quicker is told, and the list comes anew. */
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

  /** Takes a piece of work out of the pool; where nobody answers it is recorded, and confirmed later. */
  async function claim(one: Waiting, words: string): Promise<void> {
    if (await act(one.id, 'accept')) return
    if (trouble.value?.code === 'offline') await acts.work(one, 'work.taken', {}, words)
  }

  /** A picture that cannot be kept stops nothing: what was done is recorded without it. */
  async function keepPicture(picture: Blob): Promise<string> {
    const bytes = new Uint8Array(await new Response(picture).arrayBuffer())
    return session.keepPicture(bytes).catch(() => '')
  }

  // What the server has judged since may have changed the list.
  watch(() => session.counts.value.settled, look)
  onMounted(() => {
    void recall()
    void look()
    timer = setInterval(() => void look(), EVERY_MS)
    document.addEventListener('visibilitychange', look)
  })
  onBeforeUnmount(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
  })
  return { page, trouble, busy, act, claim, tell: acts.work.bind(acts), keepPicture, look }
}
