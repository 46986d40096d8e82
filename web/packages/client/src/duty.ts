// SPDX-License-Identifier: Apache-2.0
/** Where this phone's holder was placed, with whom and for what; the lease is the key. */
import type { JobsAnswer, JobsOptions } from './jobs'
import { askPhone } from './trips'

export interface DutyRead {
  /** Whether I am at my post; none for who serves nowhere. */
  standing?: { status: string; since: string; can_arrive: boolean; can_leave: boolean; minutes: number; open_jobs: number } | null
  /** How much went to others when I left, and at how many doors I still stand. */
  handed_on?: number
  still_at?: number
  duty: { since: string; accepted: boolean; phone: string; lines: { zh: string[]; en: string[] } } | null
}

export const readDuty = (options: JobsOptions): Promise<JobsAnswer<DutyRead>> => askPhone<DutyRead>(options, '/duty', 'GET')
export const acceptDuty = (options: JobsOptions): Promise<JobsAnswer<DutyRead>> => askPhone<DutyRead>(options, '/duty/accept', 'POST')
/** code: what hangs at the post, scanned or typed; empty where I only say it. */
export const sayHere = (options: JobsOptions, code: string): Promise<JobsAnswer<DutyRead>> => askPhone<DutyRead>(options, '/duty/here', 'POST', { code })
export const sayLeaving = (options: JobsOptions): Promise<JobsAnswer<DutyRead>> => askPhone<DutyRead>(options, '/duty/leaving', 'POST')
export const openCalendar = (options: JobsOptions): Promise<JobsAnswer<{ address: string }>> => askPhone<{ address: string }>(options, '/duty/calendar', 'POST')
