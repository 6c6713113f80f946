import { afterEach, expect, it } from 'vitest';
import { authority, companyClient, companyServer } from '../../../../test/support/certificates.ts';
import { startConnectProxy } from '../../../../test/support/connect-proxy.ts';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { startTlsFront } from '../../../../test/support/tls-front.ts';
import { guardedFetch, openFetch } from '../../src/auth/guarded-fetch.ts';
import { oauth } from '../../src/auth/oauth.ts';
import { resolveNetwork } from '../../src/http/network.ts';
import { failureOf } from '../support/failure-of.ts';
import { challengeAt } from './support/challenge.ts';
import { Person } from './support/person.ts';
import { startScriptedAuthority } from './support/scripted-authority.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function closeLater<One extends AsyncDisposable>(starting: Promise<One>): Promise<One> {
  const one = await starting;
  open.push(one);
  return one;
}

it('requests to the authorization server go through the proxy', async () => {
  const proxy = await closeLater(startConnectProxy());
  const server = await startScriptedAuthority();
  await challengeAt(server.mcp, oauth(new Person(), { proxy: proxy.url }));
  expect(proxy.asked).toHaveLength(server.requests.length);
  expect(server.requests.length).toBeGreaterThan(0);
  await server.close();
});

it('a proxy that wants a password is named, and asked once for each request', async () => {
  const proxy = await closeLater(startConnectProxy({ login: 'alice:hush-hush' }));
  const { fetch } = {
    fetch: openFetch(new URL('https://mcp.example'), resolveNetwork({ proxy: proxy.url })),
  };
  const error = (await failureOf(fetch('https://mcp.example/.well-known/x'))) as Error;
  expect(String(error.cause)).toContain(`the proxy ${proxy.url} wants a user name and a password`);
  const failed = await failureOf(
    challengeAt(
      new URL('https://mcp.company.example/mcp'),
      oauth(new Person(), { proxy: proxy.url }),
    ),
  );
  expect(failed.code).toBe('unauthorized');
  expect(failed.message).toContain('wants a user name and a password (407); write a user name');
});

it('the certificate of the client is shown to the server, and to no issuer that it names', async () => {
  const [server, issuer] = await Promise.all(
    [0, 1].map(async () => {
      const plain = await closeLater(startHttpFixture((_request, response) => response.end('ok')));
      return await closeLater(
        startTlsFront(plain.origin, companyServer, { clientAuthority: authority }),
      );
    }),
  );
  const network = resolveNetwork({ tls: { ca: authority, ...companyClient } });
  const own = new URL(server?.origin ?? '');
  for (const fetch of [guardedFetch(undefined, own, network), openFetch(own, network)]) {
    expect(await (await fetch(`${own.origin}/metadata`)).text()).toBe('ok');
    await expect(fetch(`${issuer?.origin}/metadata`)).rejects.toThrow('fetch failed');
  }
});

it('a public server cannot name a private address, with a proxy either', async () => {
  const proxy = await closeLater(startConnectProxy());
  const network = resolveNetwork({ proxy: proxy.url });
  const fetch = guardedFetch(undefined, new URL('https://93.184.216.34/mcp'), network);
  await expect(fetch('http://10.0.0.1/token')).rejects.toThrow('is a private address');
  await expect(fetch('http://localhost/token')).rejects.toThrow('is a private address');
  expect(proxy.asked).toEqual([]);
});

it('options that exclude each other, or that are wrong', () => {
  const make = (options: object) => (): unknown => oauth(new Person(), options);
  expect(make({ fetch, proxy: 'environment' })).toThrow('fetch: not together with proxy or tls');
  expect(make({ tls: { cert: 'x' } })).toThrow('tls.cert: there is no certificate');
  expect(make({ tls: { certificate: 'x' } })).toThrow('tls.certificate: no such option');
});
