// SPDX-License-Identifier: Apache-2.0
/** The left menu: only what exists. */
import { Bell, Connection, CopyDocument, Files, Grid, House, Iphone, MapLocation, Setting, Tickets, Warning } from '@element-plus/icons-vue'
import type { Component } from 'vue'

export interface MenuEntry {
  path: string
  /** Key of the terms list. */
  noun: string
  icon: Component
  /** Shown only to these roles; everybody, where none is named. */
  roles?: string[]
}

export const MENU: readonly MenuEntry[] = [
  { path: '/', noun: 'inbox', icon: Bell },
  { path: '/register', noun: 'register', icon: House, roles: ['worker', 'grid_head', 'desk', 'street'] },
  { path: '/duplicates', noun: 'duplicate_pair', icon: CopyDocument, roles: ['grid_head', 'desk', 'street', 'district'] },
  { path: '/campaigns', noun: 'campaign', icon: Tickets },
  { path: '/kinds', noun: 'campaign_kind', icon: Files },
  { path: '/grids', noun: 'grid', icon: Grid },
  { path: '/plans', noun: 'grid_plan', icon: MapLocation, roles: ['desk', 'street', 'district', 'command'] },
  { path: '/devices', noun: 'device', icon: Iphone, roles: ['grid_head', 'desk', 'street', 'district', 'command', 'operator'] },
  { path: '/held', noun: 'held_list', icon: Warning, roles: ['grid_head', 'desk', 'street', 'district', 'command', 'operator'] },
  { path: '/transfer', noun: 'import_export', icon: Connection, roles: ['desk', 'street', 'district'] },
  { path: '/settings', noun: 'settings', icon: Setting },
]
