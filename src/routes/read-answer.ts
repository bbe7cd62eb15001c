import { Type } from 'typebox'
import { tables } from '../tables/index.ts'

const tail = {
  offset: Type.Unsafe({
    type: ['object', 'null'],
    description: 'Goes into the next call as it is; null when a snapshot has been read whole.',
  }),
  has_more: Type.Boolean(),
  next: Type.Optional(
    Type.String({ description: 'When `has_more`: the relative URL of the next call.' }),
  ),
  skipped: Type.Optional(Type.Integer({ description: 'Items without a key, left out.' })),
  gap: Type.Optional(
    Type.Object(
      { after: Type.String(), before: Type.String() },
      { description: 'Plays may have been lost between these instants (Unix ms).' },
    ),
  ),
  retry_after_s: Type.Optional(Type.Integer({ description: 'When to come back.' })),
  interrupted: Type.Optional(Type.Unsafe({ $ref: 'Problem#' })),
}

const AnyRecord = Type.Unsafe({
  anyOf: tables.map(({ name }) => ({ $ref: `${recordName(name)}#` })),
})

/** The OpenAPI schema of a read as JSON. */
export const Answer = Type.Object({ records: Type.Array(AnyRecord), ...tail })

/** The OpenAPI schema of one line of a stream: an object with exactly one key. */
export const Line = Type.Unsafe({
  oneOf: [
    Type.Object({ record: AnyRecord }),
    Type.Object({
      checkpoint: Type.Object({
        offset: Type.Unsafe({ type: 'object', description: 'Reading again from it goes on here.' }),
        records: Type.Integer({ description: 'Lines since the checkpoint before.' }),
      }),
    }),
    Type.Object({ waiting: Type.Object({ seconds: Type.Integer(), code: Type.String() }) }),
    Type.Object({ end: Type.Object({ ...tail, records: Type.Integer(), pages: Type.Integer() }) }),
    Type.Object({ error: Type.Unsafe({ $ref: 'Problem#' }) }),
  ],
})

/** A read of the profile. */
export const example = {
  records: [
    {
      id: 'ada',
      display_name: 'Ada',
      uri: 'spotify:user:ada',
      href: 'https://api.spotify.com/v1/users/ada',
      email: null,
      country: null,
      product: null,
      explicit_content: null,
      followers: null,
      images: [],
      external_urls: { spotify: 'https://open.spotify.com/user/ada' },
      account_id: '5f2b8c0d9e',
    },
  ],
  offset: null,
  has_more: false,
}

/** One line of the same as a stream. */
export const exampleLine = { record: example.records[0] }

/** The name of a table's record among the schemas of the description. */
export function recordName(table: string): string {
  return `${table}_record`
}
