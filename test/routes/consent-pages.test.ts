import t from 'tap'
import type { Problem } from '../../src/problems.ts'
import { problemPage, wantsPage } from '../../src/routes/consent-pages.ts'

t.test('pages are for those who ask for HTML by name', async (t) => {
  for (const accept of [
    'text/html',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'application/json, TEXT/HTML;q=0.1',
  ]) {
    t.equal(wantsPage(accept), true, accept)
  }
  for (const accept of [
    undefined,
    '',
    '*/*',
    'text/*',
    'application/json',
    'text/html;q=0',
    'text/html; q=0.000',
    'text/htmlx',
  ]) {
    t.equal(wantsPage(accept), false, `${accept}`)
  }
})

t.test('whatever a problem says stands on its page as text', async (t) => {
  const bad = `<b onclick="x">&'</b>`
  const problem = { title: bad, detail: bad, code: 'consent-failed', request_id: bad }
  const page = problemPage(problem as Problem, `https://a.example/"><script>`)
  t.notMatch(page, /<b |<script|"x"/)
  t.match(page, 'href="https://a.example/&#34;&#62;&#60;script&#62;"')
  t.match(page, '&#60;b onclick=&#34;x&#34;&#62;&#38;&#39;&#60;/b&#62;')
})

t.test('where no link may be given, the page says who has one', async (t) => {
  const problem = { title: 't', detail: 'd', code: 'consent-failed', request_id: 'r' }
  t.match(problemPage(problem as Problem, null), /npm run authorize/)
})
