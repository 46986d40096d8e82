// SPDX-License-Identifier: Apache-2.0
/** The left menu: only what exists. */
import { Bell, ChatDotRound, Connection, CopyDocument, Files, Flag, Grid, House, Iphone, MapLocation, Present, Promotion, Setting, Share, Tickets, User, Van, Warning } from '@element-plus/icons-vue'
import type { Component } from 'vue'

export interface MenuEntry {
  path: string
  /** Key of the terms list. */
  noun: string
  icon: Component
  /** Operation of the policy table that the page asks for; shown to whom the server gives it. */
  asks?: string
}

export const MENU: readonly MenuEntry[] = [
  { path: '/', noun: 'inbox', icon: Bell },
  { path: '/requests', noun: 'requests', icon: ChatDotRound, asks: 'requests.list' },
  { path: '/offers', noun: 'help_offer', icon: Present, asks: 'offers.list' },
  { path: '/reinforcement', noun: 'reinforcement', icon: Promotion, asks: 'reinforcement.list' },
  { path: '/trips', noun: 'trips', icon: Van, asks: 'trips.list' },
  { path: '/people', noun: 'responder', icon: User, asks: 'responders.list' },
  { path: '/register', noun: 'register', icon: House, asks: 'register.list' },
  { path: '/duplicates', noun: 'duplicate_pair', icon: CopyDocument, asks: 'duplicates.read' },
  { path: '/campaigns', noun: 'campaign', icon: Tickets },
  { path: '/kinds', noun: 'campaign_kind', icon: Files },
  { path: '/grids', noun: 'grid', icon: Grid },
  { path: '/plans', noun: 'grid_plan', icon: MapLocation, asks: 'plans.districting' },
  { path: '/placement', noun: 'placement', icon: User, asks: 'placement.read' },
  { path: '/teams', noun: 'team', icon: Flag, asks: 'teams.read' },
  { path: '/devices', noun: 'device', icon: Iphone, asks: 'devices.list' },
  { path: '/sites', noun: 'site', icon: Share, asks: 'sites.list' },
  { path: '/held', noun: 'held_list', icon: Warning, asks: 'held.list' },
  { path: '/transfer', noun: 'import_export', icon: Connection, asks: 'register.import' },
  { path: '/settings', noun: 'settings', icon: Setting },
]
