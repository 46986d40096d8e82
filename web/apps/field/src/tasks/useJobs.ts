// SPDX-License-Identifier: Apache-2.0
/**
 * The jobs and trips of this phone's holder, asked for again and again while the page is looked at, and kept sealed on the phone.
 * What is done at a door is recorded like everything else: it waits for nobody.
 */
import { actOnJob, RACES_LOST, readHolder, readJobs, readTrips, type Driven, type JobAct, type JobsOptions, type JobsPage, type Waiting } from '@muster/client'
import type { Mine } from '@muster/outbox'
import { language, useWords } from '@muster/ui'
import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch } from 'vue'
import { useField } from '../session/acting'
import { toldPage } from './told'
import { goneTrips, toldTrips } from './toldTrips'

const EVERY_MS = 10_000

export interface Ended {
  why: 'done' | 'lost'
  words: string
  /** The moment of the claim that was lost. */
  until?: number
}

const lostClaim = ({ kind, code }: Mine): boolean => kind === 'work.taken' && (code === 'work_taken' || code === 'work_ended')

export function useJobs() {
  const { session, acts } = useField()
  const { t } = useWords()
  const heard = shallowRef<JobsPage | null>(null)
  const driven = shallowRef<Driven[]>([])
  const trips = computed(() => toldTrips(driven.value, session.mine.value))
  /** Trips that are not mine any more, until I have seen it. */
  const gone = shallowRef<Driven[]>([])
  /** What has just ended here, so that the next thing is shown at once. */
  const ended = ref<Ended | null>(null)
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
    const [answer, drives] = await Promise.all([readJobs(asking), readTrips(asking)])
    if (drives.state === 'DONE') {
      gone.value = [...gone.value, ...goneTrips(driven.value, drives.body.items, session.mine.value)]
      driven.value = drives.body.items
    }
    if (answer.state === 'DONE') {
      heard.value = answer.body
      if (trouble.value?.code === 'offline') trouble.value = null
      await session.keepJobs(JSON.stringify({ ...answer.body, driven: driven.value })).catch(() => undefined)
    } else if (answer.code === 'offline') trouble.value = answer
  }

  /** The list as it was last heard, until somebody answers. */
  async function recall(): Promise<void> {
    const kept = await session.keptJobs().catch(() => null)
    if (!kept || heard.value) return
    const { driven: drove = [], ...page } = JSON.parse(kept) as JobsPage & { driven?: Driven[] }
    heard.value = page
    driven.value = drove
  }

  /** Asks the server; true when it is done. Somebody quicker is told, and the list comes anew. */
  async function act(id: string, what: JobAct, body: object = {}): Promise<boolean> {
    const asking = options()
    if (!asking || busy.value) return false
    busy.value = id
    const answer = await actOnJob(asking, id, what, body)
    busy.value = null
    const isLost = answer.state === 'FAILED' && RACES_LOST.has(answer.code)
    trouble.value = answer.state === 'FAILED' && !isLost ? answer : null
    if (isLost) ended.value = { why: 'lost', words: answer.title }
    if (answer.state === 'DONE' || answer.code !== 'offline') await look()
    return answer.state === 'DONE'
  }

  /** Takes a piece of work out of the pool; where nobody answers it is recorded, and confirmed later. */
  async function claim(one: Waiting, words: string): Promise<void> {
    if (await act(one.id, 'accept')) return
    if (trouble.value?.code === 'offline') await acts.work(one, 'work.taken', {}, words)
  }

  /** Told as done; what comes next is looked for at once. */
  async function finish(job: Waiting, said: Record<string, unknown>, words: string): Promise<boolean> {
    if (!(await acts.work(job, 'work.done', said, words))) return false
    ended.value = { why: 'done', words }
    void look()
    return true
  }

  /** A picture that cannot be kept stops nothing: what was done is recorded without it. */
  async function keepPicture(picture: Blob): Promise<string> {
    const bytes = new Uint8Array(await new Response(picture).arrayBuffer())
    return session.keepPicture(bytes).catch(() => '')
  }

  // What the server has judged since may have changed the list.
  watch(() => session.counts.value.settled, look)
  // A claim made without a network that somebody else had won; told when he next looks, also after the page was closed meanwhile.
  const lost = computed(() => session.mine.value.filter((act) => lostClaim(act) && act.at > session.settings.lost).sort((one, other) => other.at - one.at)[0] ?? null)
  watch(() => lost.value?.id, async () => {
    const claim = lost.value
    if (!claim) return
    ended.value = { why: 'lost', words: '', until: claim.at }
    const asking = options()
    const answer = asking && claim.item ? await readHolder(asking, claim.item) : null
    if (answer?.state !== 'DONE' || ended.value?.until !== claim.at) return
    const { number, name } = answer.body
    ended.value = { why: 'lost', words: t(name ? 'tasks.lost_to' : 'tasks.lost_over', { number, name }), until: claim.at }
  }, { immediate: true })
  // What was told is not told again.
  watch(ended, (now, before) => {
    if (now === null && before?.until) session.settings.lost = before.until
  })
  onMounted(async () => {
    await recall()
    void look()
    timer = setInterval(() => void look(), EVERY_MS)
    document.addEventListener('visibilitychange', look)
  })
  onBeforeUnmount(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
  })
  return { page, trips, gone, ended, trouble, busy, act, claim, finish, tell: acts.work.bind(acts), drove: acts.drove.bind(acts), keepPicture, look }
}
