// SPDX-License-Identifier: Apache-2.0
/** An answer that says no: problem+json with a code, a sentence and, for each wrong field, the cure. */
import { message, messageCure, sentence } from '../words/words'

export interface FieldProblem {
  row?: number
  field?: string
  code: string
  message?: string
  cure?: string
}

export interface Problem {
  type?: string
  title?: string
  status: number
  code: string
  detail?: string
  cure?: string
  facts?: Record<string, unknown>
  errors?: FieldProblem[]
}

export class ProblemError extends Error {
  readonly problem: Problem
  readonly retryAfter: number | null

  constructor(problem: Problem, retryAfter: number | null = null) {
    super(problem.code)
    this.name = 'ProblemError'
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

/** One sentence for any failure: the server's words in the reader's language, else ours by code, else a plain one. */
export function explain(error: unknown): string {
  if (!(error instanceof ProblemError)) return sentence('problem.no_network')
  const { detail, code, title, status } = error.problem
  const told = title === code ? '' : title
  return detail || told || message(code) || sentence(status >= 500 ? 'problem.server' : 'problem.unknown')
}

/** What to do about it, where the server knows. */
export function cureOf(error: unknown): string {
  return error instanceof ProblemError ? (error.problem.cure ?? messageCure(error.problem.code) ?? '') : ''
}

export async function problemOf(response: Response): Promise<ProblemError> {
  const wait = Number(response.headers.get('Retry-After'))
  const retryAfter = Number.isFinite(wait) && wait > 0 ? wait : null
  try {
    const body = (await response.json()) as Partial<Problem>
    return new ProblemError({ ...body, status: response.status, code: body.code ?? `http_${response.status}` }, retryAfter)
  } catch {
    return new ProblemError({ status: response.status, code: `http_${response.status}` }, retryAfter)
  }
}
