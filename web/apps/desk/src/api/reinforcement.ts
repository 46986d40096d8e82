// SPDX-License-Identifier: Apache-2.0
/** Shapes and calls of reinforcement: what an area needs, orders, what units send, hours. */
import { request, type Bilingual, type Query } from '@muster/ui'
import type { Allowed, Page } from './types'

export interface AreaName {
  id: number
  name: string
  name_en: string
  level: string
}

export interface Counts {
  promised: number
  arrived: number
  engaged: number
  returned: number
}

export interface Wanted {
  skill: string
  least: number
  most: number
}

export interface Reason {
  code: string
  text: string
}

export interface Need {
  as_of: string
  area: AreaName
  wanted: number
  fit: number
  short: number
  items: Wanted[]
  reasons: Reason[]
  givers: { area: AreaName; spare: number | null }[]
}

export interface OrderLine extends Counts {
  id: string
  number: number
  area: AreaName
  status: string
  starts_at: string
  ends_at: string
  asked_at: string
  asked_by: string
  approved_by: string
  approved_at: string | null
  due_at: string | null
  is_late: boolean
  levels_up: number
  enough: boolean
  least: number
  most: number
  is_mine: boolean
  asks_me: boolean
}

export interface OrderItem extends Wanted, Counts {
  id: string
}

export interface Step {
  at: string
  verb: string
  by: string
  to: string
  facts: Record<string, unknown>
}

export interface OrderPage extends OrderLine {
  reason: string
  answer: string
  reasons: Reason[]
  order_items: OrderItem[]
  routes: { area: AreaName; asked_at: string; declined_at: string | null; mine: boolean }[]
  fills: DeploymentLine[]
  approve: Allowed
  fill: Allowed
  timeline: Step[]
  /** The leader's code, told once after a promise. */
  code?: string
}

export interface DeploymentLine extends Counts {
  id: string
  area: AreaName
  giver: AreaName
  unit: string
  affiliation: string
  skill: string
  status: string
  names: number
  names_arrived: number
  difference: number
  starts_at: string
  ends_at: string
  order: string | null
}

export interface ListedPerson {
  id: string
  name: string
  phone: string | null
  skill: string
  arrived_at: string | null
  returned_at: string | null
}

export interface DeploymentPage extends DeploymentLine {
  leader: string
  leader_phone: string | null
  code: string | null
  people: ListedPerson[]
  send: Allowed
  receive: Allowed
  timeline: Step[]
  added?: number
  known?: number
  faulty?: ({ row: number; field: string; code: string } & Bilingual)[]
}

export interface NewOrder {
  area: number
  items: Wanted[]
  starts_at: string
  ends_at: string
  reason: string
}

export interface Sent {
  unit: string
  count: number
  affiliation: string
  leader: string
  leader_phone: string
}

const post = <T = unknown>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body })
const ORDERS = '/reinforcement/orders'
const SENT = '/deployments'

export const reinforcement = {
  need: (area: number) => request<Need>('/reinforcement/need', { query: { area } }),
  list: (query: Query) => request<Page<OrderLine>>(ORDERS, { query }),
  one: (id: string) => request<OrderPage>(`${ORDERS}/${id}`),
  ask: (order: NewOrder) => post<OrderLine>(ORDERS, order),
  approve: (id: string, areas: number[]) => post<OrderPage>(`${ORDERS}/${id}/approve`, { areas }),
  route: (id: string, areas: number[]) => post<OrderPage>(`${ORDERS}/${id}/route`, { areas }),
  end: (id: string, how: 'refuse' | 'cancel', text: string) => post<OrderPage>(`${ORDERS}/${id}/${how}`, { text }),
  step: (id: string, how: 'enough' | 'decline') => post<OrderPage>(`${ORDERS}/${id}/${how}`),
  fill: (id: string, body: Sent & { item: string; giver: number }) => post<OrderPage>(`${ORDERS}/${id}/fill`, body),
}

export const deployments = {
  list: (query: Query) => request<Page<DeploymentLine>>(SENT, { query }),
  one: (id: string) => request<DeploymentPage>(`${SENT}/${id}`),
  send: (body: Sent & { area: number; giver: number; starts_at: string; ends_at: string }) => post<DeploymentLine & { code: string }>(SENT, body),
  find: (code: string) => post<DeploymentPage>(`${SENT}/find`, { code }),
  count: (id: string, counts: Partial<Counts>) => post<DeploymentPage>(`${SENT}/${id}/count`, counts),
  arrive: (id: string, people: string[]) => post<DeploymentPage>(`${SENT}/${id}/arrive`, { people }),
  goHome: (id: string, people: string[]) => post<DeploymentPage>(`${SENT}/${id}/return`, { people }),
  names: (id: string, text: string) => post<DeploymentPage>(`${SENT}/${id}/names`, { text }),
  namesFile: (id: string, file: File) => {
    const form = new FormData()
    form.set('file', file)
    return post<DeploymentPage>(`${SENT}/${id}/names/file`, form)
  },
  takeBack: (id: string) => post<DeploymentPage>(`${SENT}/${id}/take-back`),
  reveal: (id: string, purpose: string, person?: string) => post<{ name: string; phone: string | null }>(`${SENT}/${id}/reveal`, { purpose, person: person ?? null }),
}

export interface OnDuty {
  id: string
  name: string
  unit: string
  skills: string[]
  grid: { id: number; name: string; name_en: string } | null
  status: string
  on_duty_since: string | null
  minutes: number
  minutes_served: number
  open_jobs: number
  is_over: boolean
  is_soon: boolean
  reliefs: { id: string; name: string; skills: string[]; status: string; reasons: Reason[] }[]
}

export const hours = {
  list: (show: string) => request<Page<OnDuty> & { over: number; limit_minutes: number; as_of: string }>('/hours', { query: { show } }),
  relieve: (id: string, relief: string | null) => post<{ items: number; offers: number; asked: number; still_at: number }>(`/hours/${id}/relieve`, { relief }),
}
