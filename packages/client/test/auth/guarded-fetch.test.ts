import type { LookupAddress } from 'node:dns';
import type { lookup } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { reachOf, reachOfHost } from '../../src/auth/addresses.ts';
import { guardedLookup } from '../../src/auth/guarded-fetch.ts';
import { oauth } from '../../src/auth/oauth.ts';
import { failureOf } from '../support/failure-of.ts';
import { challengeAt } from './support/challenge.ts';
import { Person } from './support/person.ts';
import { said, startScriptedAuthority } from './support/scripted-authority.ts';

describe('an address is', () => {
  it.each([
    ['public', '93.184.216.34 172.32.0.1 2606:4700::1 198.18.0.1 64:ff9b::808:808'],
    ['private', '0.0.0.0 10.1.2.3 100.64.0.1 127.9.9.9 172.16.0.1 172.31.255.255 192.168.1.1'],
    ['private', ':: ::1 fd12::1 fc00::1 ::ffff:10.0.0.1 ::ffff:a00:1 64:ff9b::a00:1'],
    [
      'link-local',
      '169.254.169.254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe fe80::1 fe80::1%eth0',
    ],
    ['link-local', 'fd00:ec2::254 168.63.129.16 100.100.100.200'],
  ])('%s', (reach, addresses) => {
    expect(addresses.split(' ').filter((address) => reachOf(address) !== reach)).toEqual([]);
  });

  it.each([
    ['http://0x7f.1/', 'private'],
    ['http://[::1]:1/', 'private'],
    ['http://localhost/', 'private'],
    ['http://a.localhost./', 'private'],
    ['http://localhost.example/', undefined],
    ['http://example.com/', undefined],
  ])('known from %s without a lookup: %s', (url, reach) => {
    expect(reachOfHost(new URL(url))).toBe(reach);
  });
});

/** Resolves names as it is told, one answer after the other. */
function resolver(...answers: LookupAddress[][]): typeof lookup {
  const resolve = (
    _name: string,
    _options: object,
    callback: (...all: unknown[]) => void,
  ): void => {
    callback(null, answers.shift() ?? []);
  };
  return resolve as typeof lookup;
}

describe('a name', () => {
  const localhost = { address: '127.0.0.1', family: 4 };

  it.each([
    ['leads to this machine', [localhost]],
    ['leads to this machine among others', [{ address: '203.0.113.5', family: 4 }, localhost]],
    ['leads to the metadata of a cloud', [{ address: '169.254.169.254', family: 4 }]],
  ])('that %s is refused for a public server', async (_what, addresses) => {
    await using server = await startHttpFixture((_request, response) => void response.end());
    const dispatcher = new Agent({
      connect: { lookup: guardedLookup('public', resolver(addresses)) },
    });
    const url = server.origin.replace('127.0.0.1', 'rebound.example');
    const options: object = { dispatcher };
    const error = await failureOf(fetch(url, options));
    expect((error as Error).cause).toMatchObject({ name: 'RefusedAddressError' });
    expect(server.acceptedConnections()).toBe(0);
    await dispatcher.close();
  });

  it('that resolves to another address is refused at the next connection', async () => {
    await using server = await startHttpFixture((_request, response) => {
      response.writeHead(200, { connection: 'close' }).end('inside');
    });
    const lookups = resolver([localhost], [{ address: '169.254.169.254', family: 4 }]);
    const dispatcher = new Agent({ connect: { lookup: guardedLookup('private', lookups) } });
    const url = server.origin.replace('127.0.0.1', 'rebound.example');
    const options: object = { dispatcher };
    expect(await (await fetch(url, options)).text()).toBe('inside');
    const error = await failureOf(fetch(url, options));
    expect((error as Error).cause).toMatchObject({ name: 'RefusedAddressError' });
    await dispatcher.close();
  });
});

describe('the connections of the program', () => {
  it('show where a server is, whatever its name', async () => {
    const server = await startScriptedAuthority();
    const url = new URL(server.mcp.href.replace('127.0.0.1', 'mcp.example'));
    server.answers.resource = said(200, {
      resource: url.href,
      authorization_servers: [server.origin],
    });
    // The request that was challenged.
    const loopback = { address: '127.0.0.1', family: 4 };
    const connect = { lookup: guardedLookup('private', resolver([loopback])) };
    const dispatcher = new Agent({ connect });
    const options: object = { dispatcher };
    await (await fetch(url, options)).text();
    const person = new Person();
    const challenge = `Bearer resource_metadata="${server.origin}/metadata"`;
    expect(await challengeAt(url, oauth(person), challenge)).toBe('fail');
    expect(person.ledTo).toHaveLength(1);
    await dispatcher.close();
    await server.close();
  });

  it('use the global dispatcher of the program for the authorization server', async () => {
    let dispatched = 0;
    class Counting extends Agent {
      override dispatch(...all: Parameters<Agent['dispatch']>): boolean {
        dispatched++;
        return super.dispatch(...all);
      }
    }
    const server = await startScriptedAuthority();
    const before = getGlobalDispatcher();
    setGlobalDispatcher(new Counting());
    await challengeAt(server.mcp, oauth(new Person()));
    setGlobalDispatcher(before);
    expect(dispatched).toBe(server.requests.length);
    expect(dispatched).toBeGreaterThan(0);
    await server.close();
  });
});
