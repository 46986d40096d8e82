// SPDX-License-Identifier: Apache-2.0
/** Channels of an area, and what this desk was told: shapes and calls. */
import { request } from '@muster/ui'
import type { Page } from './types'

export const KINDS = ['WECOM', 'DINGTALK', 'FEISHU', 'EMAIL', 'WEBHOOK'] as const

export interface Channel {
  id: string
  kind: (typeof KINDS)[number]
  name: string
  area: { id: number; name: string; name_en: string } | null
  last_sent_at: string | null
  last_fault: string
}

export interface NewChannel {
  area?: number | null
  kind: (typeof KINDS)[number]
  name: string
  address: string
  secret: string
  language: string
}

export interface Told {
  id: string
  text: { zh: string; en: string }
  link: string
  at: string
  read_at: string | null
}

export const channels = {
  list: () => request<Page<Channel>>('/channels'),
  open: (body: NewChannel) => request<Channel>('/channels', { method: 'POST', body }),
  attempt: (id: string) => request(`/channels/${id}/try`, { method: 'POST', body: {} }),
  close: (id: string) => request(`/channels/${id}`, { method: 'DELETE' }),
}

export const messages = {
  list: () => request<Page<Told> & { unread: number }>('/messages'),
  read: (ids: string[]) => request('/messages/read', { method: 'POST', body: { ids } }),
}
