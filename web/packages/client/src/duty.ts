// SPDX-License-Identifier: Apache-2.0
/** Where this phone's holder was placed, with whom and for what; the lease is the key. */
import type { JobsAnswer, JobsOptions } from './jobs'
import { askPhone } from './trips'

export interface DutyRead {
  /** Whether I am at my post; none for who serves nowhere. */
  standing?: { status: string; since: string; can_arrive: boolean; can_leave: boolean; minutes: number; open_jobs: number; grid: number | null } | null
  duty: { since: string; accepted: boolean; phone: string; lines: { zh: string[]; en: string[] } } | null
}

export const readDuty = (options: JobsOptions): Promise<JobsAnswer<DutyRead>> => askPhone<DutyRead>(options, '/duty', 'GET')
export const acceptDuty = (options: JobsOptions): Promise<JobsAnswer<DutyRead>> => askPhone<DutyRead>(options, '/duty/accept', 'POST')
export const openCalendar = (options: JobsOptions): Promise<JobsAnswer<{ address: string }>> => askPhone<{ address: string }>(options, '/duty/calendar', 'POST')
