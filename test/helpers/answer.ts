import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import { type FailureCode, failures } from '../../src/errors.ts'
import { kinds } from '../../src/problems.ts'

/** An answer as its reader sees it. A header that came twice is joined by commas. */
export type Answer = { status: number; headers: Record<string, string>; text: string }

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
type Problem = any

/** Sends a request to the app, without a socket. */
export async function ask(app: FastifyInstance, options: InjectOptions | string): Promise<Answer> {
  const answer = await app.inject(options)
  const headers = Object.entries(answer.headers).map(([name, value]) => [name, String(value)])
  return { status: answer.statusCode, headers: Object.fromEntries(headers), text: answer.body }
}

/** Asserts that an answer is a whole problem document of this code, and gives it. */
export function assertProblem(
  t: Test,
  answer: Answer,
  code: FailureCode,
  status?: number,
): Problem {
  const { headers, text } = answer
  t.equal(answer.status, status ?? kinds[code].status, `${code}: its status`)
  t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(headers['cache-control'], 'no-store')
  t.equal(Number(headers['content-length']), Buffer.byteLength(text))
  const problem = JSON.parse(text)
  t.match(problem, {
    type: `urn:lakeflow-spotify:${code}`,
    title: kinds[code].title,
    status: answer.status,
    detail: /\S+ \S+/,
    instance: String,
    code,
    retryable: failures[code].retryable,
    request_id: /^\S+$/,
  })
  t.equal(problem.request_id, headers['x-request-id'], 'the id of the header and of the document')
  t.notMatch(text, /\bat .*\.ts:\d+|node_modules/, 'nothing of a stack')
  return problem
}
