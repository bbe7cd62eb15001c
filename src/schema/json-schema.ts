import type { Struct } from './types.ts'

type About = { title: string; description: string }

/** A JSON Schema 2020-12 document. */
export type JsonSchema = About & Struct & { $schema: string }

/** The JSON Schema 2020-12 document of one record: every column is required, and there are no others. */
export function toJsonSchema(record: Struct, { title, description }: About): JsonSchema {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, description, ...record }
}
