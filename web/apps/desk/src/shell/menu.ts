// SPDX-License-Identifier: Apache-2.0
/** The left menu: only what exists. */
import { Bell, Connection, Files, Grid, House, Iphone, MapLocation, Setting, Tickets, Warning } from '@element-plus/icons-vue'
import type { Component } from 'vue'

export interface MenuEntry {
  path: string
  /** Key of the terms list. */
  noun: string
  icon: Component
}

export const MENU: readonly MenuEntry[] = [
  { path: '/', noun: 'inbox', icon: Bell },
  { path: '/register', noun: 'register', icon: House },
  { path: '/campaigns', noun: 'campaign', icon: Tickets },
  { path: '/kinds', noun: 'campaign_kind', icon: Files },
  { path: '/grids', noun: 'grid', icon: Grid },
  { path: '/plans', noun: 'grid_plan', icon: MapLocation },
  { path: '/devices', noun: 'device', icon: Iphone },
  { path: '/held', noun: 'held_list', icon: Warning },
  { path: '/transfer', noun: 'import_export', icon: Connection },
  { path: '/settings', noun: 'settings', icon: Setting },
]
