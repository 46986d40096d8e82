// SPDX-License-Identifier: Apache-2.0
/** A model of the server for tests: it verifies, journals, answers with signed receipts, gives verdicts; and a bad network. */
import { gunzipSync } from 'node:zlib'
import { base64url, fromBase64url, sha256, type Bytes } from '../src/bytes'
import { uuid7 } from '../src/ids'
import type { EnrolAnswer } from '../src/enrolling'
import type { VerdictOf } from '../src/verdicts'

export type Weather =
  | 'fine'
  | 'lost_request'
  | 'lost_answer'
  | 'busy'
  | 'broken'
  | 'forged_receipt'
  | 'receipt_of_another'
  | 'no_json'

export interface JournalFact {
  device: string
  id: string
  seq: number
  kind: string
  actor: string
  occurred_at: string
  subject: Record<string, unknown>
  text: string
  body: Record<string, unknown>
}

interface Device {
  key: JsonWebKey
  lease: string
  actor: EnrolAnswer['actor']
}

export class ModelServer {
  readonly journal: JournalFact[] = []
  readonly devices = new Map<string, Device>()
  readonly requests: { url: string; init: RequestInit }[] = []
  /** The weather of the next requests, then the usual one. */
  forecast: Weather[] = []
  usual: Weather = 'fine'
  retryAfter: string | null = null
  /** Facts whose presence makes the door answer 400. */
  readonly refuses = new Set<string>()
  clock: () => number = () => Date.now()
  private readonly codes = new Map<string, string>()
  private readonly spent = new Map<string, EnrolAnswer>()
  private readonly signing: CryptoKeyPair
  private readonly jwk: JsonWebKey

  private constructor(pair: CryptoKeyPair, jwk: JsonWebKey) {
    this.signing = pair
    this.jwk = jwk
  }

  static async start(): Promise<ModelServer> {
    const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify'])) as CryptoKeyPair
    const { kty, crv, x } = await crypto.subtle.exportKey('jwk', pair.publicKey)
    return new ModelServer(pair, { kty, crv, x })
  }

  offer(code: string, worker: string): void {
    this.codes.set(code, worker)
  }

  /** The first verdict of each fact, then DUPLICATE for every further copy. */
  verdicts(device: string): VerdictOf[] {
    const seen = new Set<string>()
    return this.journal
      .filter((fact) => fact.device === device)
      .map(({ id }) => {
        const verdict = seen.has(id) ? 'DUPLICATE' : 'APPLIED'
        seen.add(id)
        return { id, verdict, code: null }
      })
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const url = String(input instanceof Request ? input.url : input)
    this.requests.push({ url, init })
    const weather = this.forecast.shift() ?? this.usual
    if (weather === 'lost_request') throw new TypeError('network')
    if (weather === 'busy') return problem(503, 'busy', this.retryAfter)
    if (weather === 'broken') return problem(500, 'broken')
    if (weather === 'no_json') return new Response('<html>a portal</html>', { status: 200 })
    const answer = url.endsWith('/devices/enrol') ? await this.enrol(init) : await this.take(init, weather)
    if (weather === 'lost_answer') throw new TypeError('network')
    return answer
  }

  private async enrol(init: RequestInit): Promise<Response> {
    const { code, public_key } = JSON.parse(String(init.body)) as { code: string; public_key: JsonWebKey }
    const again = `${code} ${JSON.stringify(public_key)}`
    const known = this.spent.get(again)
    if (known) return Response.json(known)
    const worker = this.codes.get(code)
    if (!worker) return problem(422, 'code_unknown')
    this.codes.delete(code)
    const actor = { id: `actor-${worker}`, name: worker, role: 'grid_worker' }
    const device = uuid7(Date.now())
    const lease = `lease-of-${device}`
    this.devices.set(device, { key: public_key, lease, actor })
    const answer: EnrolAnswer = {
      device,
      lease,
      lease_until: '2026-09-03T18:00:00+08:00',
      intake: 'https://muster.test/intake/',
      server_keys: [{ kid: 'k1', jwk: this.jwk }],
      incident: { id: 'i1', name: 'Drill', pack: 'epidemic-zh', is_drill: true, time_zone: 'Asia/Shanghai' },
      grids: [7],
      actor,
      sub_districts: [3],
    }
    this.spent.set(again, answer)
    return Response.json(answer)
  }

  private async take(init: RequestInit, weather: Weather): Promise<Response> {
    const headers = new Headers(init.headers)
    const raw = await new Response(init.body).arrayBuffer()
    const zipped = headers.get('Content-Encoding') === 'gzip'
    const bytes: Bytes = new Uint8Array(zipped ? gunzipSync(raw) : raw)
    const batch = JSON.parse(new TextDecoder().decode(bytes)) as { batch: string; device: string; facts: JournalFact[] }
    const device = this.devices.get(batch.device)
    if (!device || headers.get('Authorization') !== `Bearer ${device.lease}`) return problem(401, 'lease_unknown')
    if (!(await isGenuine(device.key, headers.get('Muster-Signature') ?? '', bytes))) return problem(400, 'bad_signature')
    if (batch.facts.length > 500) return problem(413, 'batch_too_long')
    if (batch.facts.some((fact) => this.refuses.has(fact.id))) return problem(400, 'envelope_bad')
    for (const fact of batch.facts) this.journal.push({ ...fact, device: batch.device, text: JSON.stringify(fact) })
    const digest = await sha256(bytes)
    const said = weather === 'receipt_of_another' ? uuid7(Date.now()) : batch.batch
    const received_at = new Date(this.clock()).toISOString()
    const text = ['muster-receipt-v1', said, batch.device, digest, received_at].join('\n')
    const signed = new Uint8Array(
      await crypto.subtle.sign({ name: 'Ed25519' }, this.signing.privateKey, new TextEncoder().encode(text)),
    )
    if (weather === 'forged_receipt') signed[3] = (signed[3] ?? 0) ^ 1
    return Response.json({
      v: 1,
      batch: said,
      device: batch.device,
      sha256: digest,
      received_at,
      instance: 'here',
      count: batch.facts.length,
      signature: base64url(signed),
    })
  }
}

function problem(status: number, code: string, retryAfter: string | null = null): Response {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' }
  if (retryAfter) headers['Retry-After'] = retryAfter
  return new Response(JSON.stringify({ status, code }), { status, headers })
}

async function isGenuine(jwk: JsonWebKey, header: string, bytes: Bytes): Promise<boolean> {
  const proof = fromBase64url(header.replace(/^ES256=/, ''))
  if (!proof) return false
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, proof, bytes)
}
