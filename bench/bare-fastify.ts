// What bench/http.ts compares with: a Fastify that does nothing but answer.
import fastify from 'fastify'

const tables = JSON.parse(process.env.TABLES as string)
const app = fastify()
app.get('/livez', async () => ({ status: 'ok' }))
app.get('/tables', async () => tables)
await app.listen({ port: Number(process.env.PORT) })
