import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  authority,
  companyClient,
  companyServer,
  strangeClient,
} from '../../../../test/support/certificates.ts';
import {
  startCompanyNetwork,
  startConnectProxy,
  type ConnectProxyOptions,
} from '../../../../test/support/connect-proxy.ts';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { startSmallServer } from '../../../../test/support/small-server.ts';
import { startTlsFront } from '../../../../test/support/tls-front.ts';
import { connect, createClient, type ClientOptions, type ConnectError } from '../../src/index.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function closeLater<One extends AsyncDisposable>(starting: Promise<One>): Promise<One> {
  const one = await starting;
  open.push(one);
  return one;
}

async function echoOf(url: string, options?: ClientOptions): Promise<string> {
  await using client = await connect(url, options);
  const { content } = await client.callTool('echo', { a: 1 });
  return JSON.stringify(content);
}

const ECHOED = JSON.stringify([{ type: 'text', text: '{"a":1}' }]);

const failure = (url: string, options: ClientOptions): Promise<ConnectError> =>
  connect(url, options).then(
    () => expect.unreachable('it connected'),
    (error: unknown) => error as ConnectError,
  );

const company = async (options?: ConnectProxyOptions): ReturnType<typeof startCompanyNetwork> => {
  const server = await closeLater(startSmallServer());
  return await closeLater(startCompanyNetwork(server.origin, options));
};

describe('a server behind a proxy, with a private authority and certificates of clients', () => {
  it.each(['/mcp', '/sse'])('is reached at %s', async (path) => {
    const { origin, proxy, ca } = await company();
    const tls = { ca, ...companyClient };
    expect(await echoOf(origin + path, { proxy: proxy.url, tls })).toBe(ECHOED);
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT mcp.company.example:443']));
  });

  it('is reached with a password for the proxy, and that by https', async () => {
    const { origin, proxy, ca } = await company({
      login: 'alice:p@ss word',
      certificate: companyServer,
    });
    const tls = { ca: [ca], cert: Buffer.from(companyClient.cert), key: companyClient.key };
    const address = proxy.url.replace('//', '//alice:p%40ss%20word@');
    expect(await echoOf(`${origin}/mcp`, { proxy: address, tls })).toBe(ECHOED);
  });

  it('is told of without the password for the proxy, which a proxy may repeat', async () => {
    await using proxy = await startHttpFixture(({ headers }, response) => {
      response.writeHead(502).end(`no way: ${headers['proxy-authorization']}, alice:p@ss-word-1`);
    });
    const address = proxy.origin.replace('//', '//alice:p%40ss-word-1@');
    const { message } = await failure('http://mcp.company.example/mcp', { proxy: address });
    expect(message).toContain('no way: ');
    expect(message).not.toMatch(/p@ss-word-1|YWxpY2U6cEBzcy13b3JkLTE/);
  });

  it('leaves nothing open when its client is closed while the proxy is silent', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const client = createClient('https://mcp.company.example/mcp', {
      proxy: `http://127.0.0.1:${port}`,
      // Longer than a test may take: it is not this time that ends it.
      timeouts: { connectMs: 600_000 },
    });
    const failed = expect(client.callTool('echo')).rejects.toMatchObject({ code: 'closed' });
    const [socket] = (await once(silent, 'connection')) as [Socket];
    await once(socket, 'data');
    const gone = once(socket.resume(), 'close');
    await client.close();
    await failed;
    await gone;
    silent.close();
  });

  it('comes back when the proxy was away', async () => {
    const { origin, proxy, ca } = await company();
    await using client = await connect(`${origin}/sse`, {
      proxy: proxy.url,
      tls: { ca, ...companyClient },
      retry: { firstDelayMs: 10 },
    });
    const lost = new Promise<void>((resolve) => {
      client.on('state', ({ name }) => {
        if (name === 'reconnecting') resolve();
      });
    });
    proxy.cut();
    await lost;
    expect(JSON.stringify((await client.callTool('echo', { a: 1 })).content)).toBe(ECHOED);
  });
});

describe('a proxy for plain http', () => {
  it('is sent the whole URL, and no tunnel is asked for', async () => {
    const server = await closeLater(startSmallServer());
    const proxy = await closeLater(startConnectProxy({ login: 'a:b' }));
    const address = proxy.url.replace('//', '//a:b@');
    expect(await echoOf(`${server.origin}/sse?key=1`, { proxy: address })).toBe(ECHOED);
    expect(proxy.asked[0]).toBe(`GET ${server.origin}/sse?key=1`);
    expect(proxy.asked.join()).not.toContain('CONNECT');
    const { headers } = server.requests[0] ?? {};
    expect(headers?.host).toBe(new URL(server.origin).host);
    expect(headers).not.toHaveProperty('proxy-authorization');
  });

  it('is for the probes of the heartbeat, too', async () => {
    const server = await closeLater(startSmallServer());
    const proxy = await closeLater(startConnectProxy());
    await using client = await connect(`${server.origin}/sse`, { proxy: proxy.url });
    const direct = server.requests.length - proxy.asked.length;
    await client.health();
    expect(server.requests.length - proxy.asked.length).toBe(direct);
    expect(server.requests.at(-1)?.body).toContain('"ping"');
  });
});

describe('without a proxy', () => {
  it('the environment says nothing unasked', async () => {
    const server = await closeLater(startSmallServer());
    const proxy = await closeLater(startConnectProxy());
    const before = { ...process.env };
    Object.assign(process.env, { HTTP_PROXY: proxy.url, http_proxy: proxy.url });
    try {
      expect(await echoOf(`${server.origin}/mcp`)).toBe(ECHOED);
    } finally {
      process.env = before;
    }
    expect(proxy.asked).toEqual([]);
  });

  it('authorities of Node are trusted beside those that are given', async () => {
    const server = await closeLater(startSmallServer());
    const front = await closeLater(startTlsFront(server.origin, companyServer));
    expect(await echoOf(`${front.origin}/mcp`, { tls: { ca: authority } })).toBe(ECHOED);
    expect(
      await echoOf(`${front.origin}/mcp`, {
        tls: { ca: authority, servername: 'mcp.company.example' },
      }),
    ).toBe(ECHOED);
    const wrong = await failure(`${front.origin}/mcp`, {
      tls: { ca: authority, servername: 'other.example' },
    });
    expect(wrong.summary).toContain('its certificate is for mcp.company.example');
    expect(await echoOf(`${front.origin}/mcp`, { tls: { rejectUnauthorized: false } })).toBe(
      ECHOED,
    );
  });
});

describe('says that the proxy is the matter, and what to do', () => {
  const proxies: Record<string, [ConnectProxyOptions, string, RegExp, RegExp]> = {
    'it wants a password': [
      { login: 'alice:hush-hush' },
      '',
      /: the proxy http:\/\/127\.0\.0\.1:\d+ wants a user name and a password \(407\)$/,
      /^write a user name, a colon, the password and an @ before the host in its address$/,
    ],
    'it wants another password': [
      { login: 'alice:hush-hush' },
      'alice:wrong-hush@',
      /does not take the user name and the password \(407\)$/,
      /^correct them in its address/,
    ],
    'it answers 401 to another password, as tinyproxy does': [
      { status: 401 },
      'alice:wrong-hush@',
      /does not take the user name and the password \(401\)$/,
      /^correct them in its address/,
    ],
    'it wants another kind of login': [
      { login: 'alice:hush-hush', offered: 'NTLM' },
      '',
      /wants a login by NTLM \(407\)$/,
      /a local proxy that logs in so/,
    ],
    'it refuses': [
      { status: 403 },
      '',
      /refuses a way to mcp\.company\.example:443 \(403\)$/,
      /^ask whoever runs the proxy/,
    ],
    'it does not reach the server': [
      { hosts: { 'mcp.company.example:443': '127.0.0.1:9' } },
      '',
      /does not reach mcp\.company\.example:443 \(502\)$/,
      /^check the address of the server/,
    ],
    'its certificate is not trusted': [
      { certificate: companyServer },
      '',
      /cannot be used: its certificate is of an authority that is not trusted here/,
      /tls\.ca \(--ca FILE\)/,
    ],
  };
  it.each(Object.entries(proxies))('%s', async (_name, [options, login, reason, hint]) => {
    const { origin, proxy } = await company(options);
    const error = await failure(`${origin}/mcp`, { proxy: proxy.url.replace('//', `//${login}`) });
    expect(error).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    expect(error.summary).toMatch(reason);
    expect(error.summary).toContain(`cannot connect to ${origin}: the proxy `);
    expect(error.hint).toMatch(hint);
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('hush');
  });

  it.each(['http', 'https'])('it is down, for %s', async (scheme) => {
    const proxy = await startConnectProxy();
    await proxy[Symbol.asyncDispose]();
    const error = await failure(`${scheme}://mcp.company.example/mcp`, {
      proxy: `http://u:hush-hush@127.0.0.1:${proxy.port}`,
    });
    expect(error).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    expect(error.message).toBe(
      `cannot connect to ${scheme}://mcp.company.example: the proxy http://127.0.0.1:${proxy.port} ` +
        'cannot be used: nothing listens there (ECONNREFUSED); start it, or correct its address',
    );
  });

  it('it wants a password, for plain http', async () => {
    const proxy = await closeLater(startConnectProxy({ login: 'a:b' }));
    const error = await failure('http://mcp.company.example/mcp', { proxy: proxy.url });
    expect(error).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    expect(error.summary).toContain(`the proxy ${proxy.url} wants a user name and a password`);
  });

  it('it does not speak HTTP, and it never answers', async () => {
    const server = await closeLater(startSmallServer());
    const front = await closeLater(startTlsFront(server.origin, companyServer));
    const tls = front.origin.replace('https:', 'http:');
    const odd = await failure('https://mcp.company.example/mcp', { proxy: tls });
    expect(odd.summary).toMatch(/the proxy http:\S+ cannot be used: it dropped the connection/);
    const silent = await closeLater(startConnectProxy({ silent: true }));
    const error = await failure('https://mcp.company.example/mcp', {
      proxy: silent.url,
      timeouts: { connectMs: 500 },
    });
    expect(error.summary).toMatch(/cannot be used: it does not answer within 400 ms/);
  });
});

describe('the certificate of the client', () => {
  it('a server that wants one, and that does not know it', async () => {
    const server = await closeLater(startSmallServer());
    const front = await closeLater(
      startTlsFront(server.origin, companyServer, { clientAuthority: authority }),
    );
    expect(await echoOf(`${front.origin}/mcp`, { tls: { ca: authority, ...companyClient } })).toBe(
      ECHOED,
    );
    for (const own of [{}, strangeClient]) {
      const error = await failure(`${front.origin}/mcp`, { tls: { ca: authority, ...own } });
      expect(error.code).not.toBe('not-mcp');
    }
  });
});

describe('options', () => {
  const { privateKey: encrypted } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: {
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'hush-hush',
    },
  });
  const { cert, key } = companyClient;
  const dispatcher = { dispatch: () => true };
  it.each<[string, ClientOptions, string]>([
    [
      'a path',
      { tls: { ca: '/etc/ca.pem' } },
      'tls.ca: there is no certificate in the format PEM in it; read the file',
    ],
    ['a list', { tls: { ca: [authority, 'x'] } }, 'tls.ca[1]: there is no certificate'],
    ['no text', { tls: { ca: 7 as never } }, 'tls.ca: neither a string nor a Buffer'],
    ['no key', { tls: { cert } }, 'tls.key: needed with tls.cert'],
    ['no certificate', { tls: { key } }, 'tls.cert: needed with tls.key'],
    ['a certificate as key', { tls: { cert, key: cert } }, 'tls.key: there is no private key'],
    [
      'another key',
      { tls: { cert, key: strangeClient.key } },
      'tls.key: it is not the key of tls.cert',
    ],
    [
      'no passphrase',
      { tls: { cert, key: encrypted } },
      'tls.passphrase: tls.key is encrypted, and needs it',
    ],
    [
      'another passphrase',
      { tls: { cert, key: encrypted, passphrase: 'wrong-hush' } },
      'tls.passphrase: tls.key is not encrypted with it',
    ],
    ['a name', { tls: { certificate: cert } as never }, 'tls.certificate: no such option'],
    [
      'broken',
      { tls: { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' } },
      'tls.ca: a certificate in it cannot be read',
    ],
    [
      'a dispatcher and a proxy',
      { dispatcher, proxy: 'environment' },
      'dispatcher: not together with proxy',
    ],
    [
      'a dispatcher and tls',
      { dispatcher, tls: { ca: authority } },
      'dispatcher: not together with tls',
    ],
    [
      'a proxy of socks',
      { proxy: 'socks5://p:1080' },
      'proxy: a proxy of socks5:// is not supported',
    ],
  ])('%s', (_name, options, message) => {
    const make = (): unknown => createClient('https://mcp.company.example', options);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/hush|BEGIN|AAAA/);
  });
});
