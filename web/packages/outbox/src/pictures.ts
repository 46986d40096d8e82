// SPDX-License-Identifier: Apache-2.0
/** Pictures behind facts: kept sealed on the phone, sent when no fact waits any more. A fact never waits for one. */
import { base64url, fromBase64url, sha256, type Bytes } from './bytes'
import { OutboxFailure, reviving, writeFailure } from './failures'
import { seal, unseal } from './seal'
import type { Surroundings } from './sending'
import type { Enrolment, OutboxStore } from './store'

export interface PictureRow {
  /** SHA-256 of the bytes: what the fact names. */
  id: string
  device: string
  at: number
  sealed: Awaited<ReturnType<typeof seal>>
}

const PATIENCE_MS = 120_000
/** The door will never take these bytes under this name: they are let go, the fact says that there was a picture. */
const HOPELESS = [400, 410, 413, 415, 422]

export async function keepPicture(store: OutboxStore, device: string, bytes: Bytes, at: number): Promise<string> {
  try {
    const enrolment = await reviving(store, () => store.enrolments.get(device))
    if (enrolment?.state !== 'ACTIVE') throw new OutboxFailure('not_enrolled')
    const id = await sha256(bytes)
    const sealed = await seal(enrolment.sealing, base64url(bytes), id)
    await reviving(store, () => store.pictures.put({ id, device, at, sealed }))
    return id
  } catch (error) {
    throw writeFailure(error)
  }
}

/** Sends what an enrolment has, the oldest first; false where some must wait for another try. */
export async function sendPictures(store: OutboxStore, enrolment: Enrolment, around: Surroundings): Promise<boolean> {
  for (const row of await store.pictures.where('device').equals(enrolment.device).sortBy('at')) {
    const bytes = fromBase64url(await unseal(enrolment.sealing, row.sealed, row.id))
    const answer = bytes && (await put(enrolment, row.id, bytes, around))
    if (!answer) return false
    if (!answer.ok && !HOPELESS.includes(answer.status)) return false
    await store.pictures.delete(row.id)
  }
  return true
}

async function put(enrolment: Enrolment, id: string, bytes: Bytes, around: Surroundings): Promise<Response | null> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), around.patience ?? PATIENCE_MS)
  try {
    return await around.fetch(`${enrolment.intake.replace(/\/+$/, '')}/v1/blobs/${id}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/octet-stream', Authorization: `Bearer ${enrolment.lease}` },
      body: bytes,
      signal: stop.signal,
      cache: 'no-store',
      credentials: 'omit',
    })
  } catch {
    return null
  } finally {
    clearTimeout(timer)
  }
}
