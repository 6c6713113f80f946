import fc from 'fast-check';
import { EnvHttpProxyAgent } from 'undici';
import { describe, expect, it } from 'vitest';
import { ProxyRules } from '../../src/http/proxy.ts';
import { startConnectProxy } from '../../../../test/support/connect-proxy.ts';

const HTTP_PROXY = 'http://plain.example:3128';
const HTTPS_PROXY = 'http://secure.example:3128';

/** The proxy of a URL, by its host; `undefined` where there is none. */
function proxyOf(url: string, env: Record<string, string>): string | undefined {
  const proxy = ProxyRules.of('environment', env)?.proxyFor(new URL(url));
  if (proxy === undefined) return undefined;
  return 'unusable' in proxy ? proxy.unusable : proxy.url.host;
}

describe('the environment', () => {
  it.each([
    ['http://mcp.example/sse', { HTTP_PROXY, HTTPS_PROXY }, 'plain.example:3128'],
    ['https://mcp.example/sse', { HTTP_PROXY, HTTPS_PROXY }, 'secure.example:3128'],
    ['https://mcp.example/sse', { https_proxy: HTTPS_PROXY }, 'secure.example:3128'],
    ['https://mcp.example/sse', { HTTP_PROXY }, undefined],
    ['http://mcp.example/sse', { HTTPS_PROXY }, undefined],
    ['https://mcp.example', { https_proxy: '', HTTPS_PROXY }, undefined],
    ['https://mcp.example', { https_proxy: 'http://small.example', HTTPS_PROXY }, 'small.example'],
    ['https://mcp.example', { HTTPS_PROXY: 'bare.example:8080' }, 'bare.example:8080'],
    // A header `Proxy:` of a client is that variable in a CGI script.
    ['http://mcp.example', { HTTP_PROXY, REQUEST_METHOD: 'GET' }, undefined],
    // No proxy elsewhere reaches what is meant by these.
    ['http://127.0.0.1:3001', { HTTP_PROXY }, undefined],
    ['http://127.9.9.9:3001', { HTTP_PROXY }, undefined],
    ['http://localhost:3001', { HTTP_PROXY }, undefined],
    ['http://app.localhost:3001', { HTTP_PROXY }, undefined],
    ['http://[::1]:3001', { HTTP_PROXY }, undefined],
    ['http://10.0.0.1:3001', { HTTP_PROXY }, 'plain.example:3128'],
    ['http://notlocalhost', { HTTP_PROXY }, 'plain.example:3128'],
  ])('%s with %j: %s', (url, env, expected) => {
    expect(proxyOf(url, env as Record<string, string>)).toBe(expected);
  });

  it.each([
    ['https://mcp.example', 'mcp.example', false],
    ['https://a.mcp.example', 'mcp.example', false],
    ['https://a.mcp.example', '.mcp.example', false],
    ['https://a.mcp.example', '*.mcp.example', false],
    ['https://mcp.example.', 'mcp.example', false],
    ['https://notmcp.example', 'mcp.example', true],
    ['https://mcp.example', 'MCP.EXAMPLE, other', false],
    ['https://mcp.example:8443', 'mcp.example:8443', false],
    ['https://mcp.example', 'mcp.example:8443', true],
    ['https://mcp.example', 'mcp.example:443', false],
    ['https://mcp.example', 'other *', false],
    ['https://10.1.2.3', '10.0.0.0/8', false],
    ['https://11.1.2.3', '10.0.0.0/8', true],
    ['https://[fd00::1]', 'fd00::/8', false],
    ['https://[2001:db8::1]', '2001:db8::1', false],
    ['https://[2001:db8::1]:8443', '[2001:db8::1]:8443', false],
    ['https://[2001:db8::2]', '[2001:db8::1]', true],
  ])('%s with NO_PROXY=%s has a proxy: %s', (url, NO_PROXY, isProxied) => {
    expect(proxyOf(url, { HTTPS_PROXY, NO_PROXY }) !== undefined).toBe(isProxied);
  });

  it('leaves out what undici leaves out', async () => {
    const proxied = await startConnectProxy({ status: 403 });
    const label = fc.constantFrom('a', 'b', 'mcp', 'example');
    const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
    const port = fc.constantFrom('', ':80', ':8080');
    const entry = fc
      .tuple(fc.constantFrom('', '.', '*.'), name, port)
      .map(([before, host, after]) => before + host + after);
    try {
      await fc.assert(
        fc.asyncProperty(
          name,
          port,
          fc.array(entry, { maxLength: 3 }),
          async (host, at, entries) => {
            const noProxy = entries.join(',');
            const url = new URL(`http://${host}${at}`);
            // Undici asks its proxy, or tries to look the name up.
            const agent = new EnvHttpProxyAgent({
              httpProxy: proxied.url,
              noProxy,
              connect: {
                lookup: (_host, _options, callback) => callback(new Error('direct'), []),
              },
            });
            const before = proxied.asked.length;
            await agent.request({ origin: url.origin, path: '/', method: 'GET' }).catch(() => {});
            await agent.destroy();
            const isProxied = proxied.asked.length > before;
            const own = proxyOf(url.href, { HTTP_PROXY: proxied.url, NO_PROXY: noProxy });
            expect(own !== undefined, `${url.href} with ${noProxy}`).toBe(isProxied);
          },
        ),
        { numRuns: 60 },
      );
    } finally {
      await proxied[Symbol.asyncDispose]();
    }
  });

  it('that names what is no proxy is an error of what needs it, and shows no password', () => {
    expect(proxyOf('https://mcp.example', { HTTPS_PROXY: 'socks5://u:hush@p:1' })).toMatch(
      /^a proxy of socks5:\/\/ is not supported: proxies of http/,
    );
    expect(proxyOf('https://mcp.example', { HTTPS_PROXY: 'http://u:hush@:1:1' })).toBe(
      'not the address of a proxy',
    );
    expect(proxyOf('http://127.0.0.1', { HTTP_PROXY: 'socks5://p:1' })).toBeUndefined();
  });
});

describe('an address', () => {
  it('is used for every server', () => {
    const rules = ProxyRules.of('http://user:p%40ss@proxy.example:3128', { NO_PROXY: '*' });
    for (const url of ['http://127.0.0.1:3001', 'https://mcp.example']) {
      expect(rules?.proxyFor(new URL(url))).toMatchObject({
        url: new URL('http://proxy.example:3128'),
        authorization: `Basic ${btoa('user:p@ss')}`,
      });
    }
  });

  it('may be variables of a program', () => {
    const rules = ProxyRules.of({ HTTPS_PROXY, NO_PROXY: 'own.example' }, { HTTPS_PROXY: 'x' });
    expect(rules?.proxyFor(new URL('https://mcp.example'))).toMatchObject({
      namedBy: 'HTTPS_PROXY',
      url: new URL(HTTPS_PROXY),
    });
    expect(rules?.proxyFor(new URL('https://a.own.example'))).toBeUndefined();
    expect(ProxyRules.of({}, { HTTPS_PROXY })).toBeUndefined();
  });

  it.each([
    ['socks5://127.0.0.1:1080', /^proxy: a proxy of socks5:\/\/ is not supported/],
    ['ftp://u:hush@127.0.0.1', /^proxy: a proxy of ftp:\/\/ is not supported: write http:\/\//],
    ['http://u:hush@', /^proxy: not the address of a proxy$/],
    ['', /^proxy: neither "environment", nor the address/],
    ['env', /^proxy: "env" is neither "environment" nor the address/],
    [7, /^proxy: neither "environment", nor the address/],
  ])('%s is refused', (option, message) => {
    const refused = (): unknown => ProxyRules.of(option as string);
    expect(refused).toThrow(TypeError);
    expect(refused).toThrow(message);
    expect(refused).not.toThrow(/hush/);
  });
});
