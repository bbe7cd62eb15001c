import t from 'tap'
import { ConfigError } from '../src/errors.ts'
import { readProxies, secretsOf } from '../src/proxies.ts'

t.test('without variables there is no proxy', async (t) => {
  t.strictSame(readProxies({}), { http: null, https: null, except: '' })
  const empty = { HTTPS_PROXY: '', http_proxy: ' ', NO_PROXY: '' }
  t.strictSame(readProxies(empty), { http: null, https: null, except: '' }, 'empty is as not set')
})

t.test('proxies are named in upper or lower case, with or without a scheme', async (t) => {
  const env = {
    HTTPS_PROXY: 'http://me:pass@proxy.example:3128',
    HTTP_PROXY: 'proxy.example:8080',
    NO_PROXY: 'localhost,.example.org',
  }
  t.strictSame(readProxies(env), {
    https: { variable: 'HTTPS_PROXY', url: 'http://me:pass@proxy.example:3128/' },
    http: { variable: 'HTTP_PROXY', url: 'http://proxy.example:8080/' },
    except: 'localhost,.example.org',
  })
  const lower = { https_proxy: 'https://other.example', no_proxy: '*', http_proxy: '[::1]:3128' }
  t.strictSame(readProxies({ ...env, ...lower }), {
    https: { variable: 'https_proxy', url: 'https://other.example/' },
    http: { variable: 'http_proxy', url: 'http://[::1]:3128/' },
    except: '*',
  })
})

t.test('a malformed one is one line with its name and without its password', async (t) => {
  for (const text of [
    'http://me:hush@',
    'http://me:hush@proxy.example:port',
    'http://me:hush@proxy.example:99999',
    'socks5://me:hush@proxy.example:1080',
    'http://me:hush%4@proxy.example:3128',
    'http://me:hush@proxy.example:3128/path',
    'http://me:hush@proxy.example:3128?x=1',
    'hush hush',
    '://hush',
  ]) {
    for (const name of ['HTTPS_PROXY', 'http_proxy']) {
      const thrown = t.throws(() => readProxies({ [name]: text }), ConfigError) as Error
      t.match(thrown.message, new RegExp(`^${name} is set to .+; allowed: .+$`), text)
      t.notMatch(thrown.message, /hush/)
    }
  }
})

t.test('the password is a secret, as it is written and as it is sent', async (t) => {
  const { https } = readProxies({ HTTPS_PROXY: 'http://me:hush%40word@proxy.example:3128' })
  t.strictSame(https && secretsOf(https), [
    'hush@word',
    'hush%40word',
    Buffer.from('me:hush@word').toString('base64'),
  ])
  t.strictSame(secretsOf({ variable: 'HTTPS_PROXY', url: 'http://me@proxy.example/' }), [])
})
