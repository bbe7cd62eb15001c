/** The OpenAPI answer of a route when all is well: JSON of that schema, and an example. */
export function ok(description: string, schema: object, example: unknown) {
  return { description, content: { 'application/json': { schema, example } } }
}

/** The problems that every route may answer with but `/livez`, which answers until the end. */
export const anyRoute = [
  'bad-request',
  'host-not-allowed',
  'method-not-allowed',
  'shutting-down',
] as const
