// SPDX-License-Identifier: Apache-2.0
/** Addresses behind the hash: any server that can serve one file can serve the app, and the back key closes a door. */
import { createRouter, createWebHashHistory } from 'vue-router'
import MePage from './pages/MePage.vue'
import MessagesPage from './pages/MessagesPage.vue'
import TasksPage from './pages/TasksPage.vue'
import TodayPage from './pages/TodayPage.vue'

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', redirect: '/today' },
    { path: '/today/:door?', name: 'today', component: TodayPage },
    { path: '/scan', name: 'scan', component: () => import('./pages/ScanPage.vue') },
    { path: '/tasks', name: 'tasks', component: TasksPage },
    { path: '/messages', name: 'messages', component: MessagesPage },
    { path: '/pin', name: 'pin', component: () => import('./pages/ChoosePinPage.vue') },
    { path: '/enrol', name: 'enrol', component: () => import('./pages/NewCodePage.vue') },
    { path: '/me', name: 'me', component: MePage },
    { path: '/:rest(.*)*', redirect: '/today' },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? false,
})
