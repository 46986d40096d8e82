// SPDX-License-Identifier: Apache-2.0
/** Addresses of the desk; each page is loaded when it is first opened. */
import { head, sentence, termMany } from '@muster/ui'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import AppShell from './shell/AppShell.vue'
import { MENU } from './shell/menu'
import { isAsked, readSession, session } from './shell/session'
import SignIn from './shell/SignIn.vue'

const pages: RouteRecordRaw[] = [
  { path: '', component: () => import('./inbox/InboxPage.vue') },
  { path: 'register', component: () => import('./register/RegisterPage.vue') },
  { path: 'requests', component: () => import('./requests/RequestsPage.vue') },
  { path: 'calls', component: () => import('./requests/CallsPage.vue'), meta: { menu: '/requests' } },
  { path: 'trips', component: () => import('./trips/TripsPage.vue') },
  { path: 'people', component: () => import('./people/PeoplePage.vue') },
  { path: 'people/heads', component: () => import('./people/HeadsPage.vue') },
  { path: 'duplicates', component: () => import('./duplicates/DuplicatesPage.vue') },
  { path: 'campaigns', component: () => import('./campaigns/CampaignsPage.vue') },
  { path: 'rounds/current', component: () => import('./rounds/CurrentRound.vue'), meta: { menu: '/campaigns' } },
  { path: 'rounds/:id', component: () => import('./rounds/RoundPage.vue'), meta: { menu: '/campaigns' } },
  { path: 'kinds', component: () => import('./campaigns/KindsPage.vue') },
  { path: 'kinds/:key', component: () => import('./campaigns/KindPage.vue') },
  { path: 'grids', component: () => import('./grids/GridsPage.vue') },
  { path: 'grids/:grid', component: () => import('./grids/GridPage.vue') },
  { path: 'devices', component: () => import('./grids/DevicesPage.vue') },
  { path: 'sites', component: () => import('./sites/SitesPage.vue') },
  { path: 'plans', component: () => import('./plans/PlansPage.vue') },
  { path: 'plans/:plan', component: () => import('./plans/PlanPage.vue') },
  { path: 'placement', component: () => import('./placement/PlacementPage.vue') },
  { path: 'placement/untold', component: () => import('./placement/UntoldPage.vue') },
  { path: 'placement/:plan', component: () => import('./placement/PlacementPlanPage.vue') },
  { path: 'offers', component: () => import('./offers/OffersPage.vue') },
  { path: 'teams', component: () => import('./placement/TeamsPage.vue') },
  { path: 'reinforcement', component: () => import('./reinforcement/OrdersPage.vue') },
  { path: 'deployments', component: () => import('./reinforcement/DeploymentsPage.vue'), meta: { menu: '/reinforcement' } },
  { path: 'hours', component: () => import('./reinforcement/HoursPage.vue'), meta: { menu: '/reinforcement' } },
  { path: 'held', component: () => import('./held/HeldPage.vue') },
  { path: 'flags', component: () => import('./held/FlagsPage.vue'), meta: { menu: '/held' } },
  { path: 'paper/returns/:back', component: () => import('./paper/ReturnPage.vue'), meta: { menu: '/campaigns' } },
  { path: 'paper/:code', component: () => import('./paper/TypePage.vue'), meta: { menu: '/campaigns' } },
  { path: 'transfer', component: () => import('./transfer/TransferPage.vue') },
  { path: 'transfer/imports/:import', component: () => import('./transfer/ImportPage.vue') },
  { path: 'settings', component: () => import('./settings/SettingsPage.vue') },
]

export const router = createRouter({
  history: createWebHistory('/desk/'),
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
  routes: [
    { path: '/sign-in', component: SignIn, meta: { open: true } },
    { path: '/rounds/:id/missing/print', component: () => import('./rounds/MissingPrint.vue') },
    { path: '/placement/untold/print', component: () => import('./placement/UntoldPrint.vue') },
    { path: '/placement/:plan/print', component: () => import('./placement/PlacementPrint.vue') },
    { path: '/trips/:id/print', component: () => import('./trips/TripPrint.vue') },
    { path: '/rounds/:id/grids/:grid/certificate', component: () => import('./rounds/CertificatePage.vue') },
    { path: '/', component: AppShell, children: pages },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
})

router.afterEach((to) => {
  const entry = MENU.find((one) => one.path === (to.meta.menu ?? `/${to.path.split('/')[1] ?? ''}`))
  document.title = [entry ? head(termMany(entry.noun)) : '', sentence('app_name')].filter(Boolean).join(' \u00b7 ')
})

router.beforeEach(async (to) => {
  if (!isAsked.value) await readSession()
  if (!session.value && !to.meta.open) return { path: '/sign-in', query: to.fullPath === '/' ? {} : { to: to.fullPath } }
  return true
})
