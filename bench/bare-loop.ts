// What nobody can do without, in a process of its own: get the pages that a read of `/me/tracks` gets,
// 8 at a time, parse each and write its records as JSON. `GET /` runs it once and tells the number
// of rows; `GET /sent` sends them to who asked as well, as a service has to.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { request } from 'undici'

const { PORT, UPSTREAM, ROWS } = process.env
const pageSize = 50

createServer(async ({ url }, response) => {
  if (url === '/readyz') return response.end()
  const rows = await loop(url === '/sent' ? response : null)
  response.end(url === '/sent' ? undefined : JSON.stringify({ rows }))
}).listen(Number(PORT), '127.0.0.1')

async function loop(reader: ServerResponse | null): Promise<number> {
  let next = 0
  let rows = 0
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (next < Number(ROWS) - 1) {
        const offset = next
        // Neighbouring pages of a read share an item.
        next += pageSize - 1
        const { body } = await request(`${UPSTREAM}/me/tracks?limit=${pageSize}&offset=${offset}`)
        const { items } = JSON.parse(await body.text()) as { items: unknown[] }
        const records = offset === 0 ? items : items.slice(1)
        let lines = ''
        for (const record of records) lines += `${JSON.stringify({ record })}\n`
        rows += records.length
        if (reader && !reader.write(lines)) await once(reader, 'drain')
      }
    }),
  )
  return rows
}
