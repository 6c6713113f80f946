import { describe, expect, it } from 'vitest';
import { MemorySessionStore, serve, type ServableServer, type ServeOptions } from '../src/index.ts';
import { serving } from './fixture.ts';
import { createSample } from './sample-server.ts';
import { MemoryCluster } from './support/memory-cluster.ts';

/** What is said of options that nobody with types would give. */
async function failureOf(options: object): Promise<unknown> {
  const create = (): ServableServer => createSample().server;
  return serve({ create, ...options } as ServeOptions).then(
    async (served) => {
      await served.close();
      return undefined;
    },
    (error: unknown) => error,
  );
}

describe('an option that is wrong', () => {
  it.each([
    // A gate that is never asked lets everything through.
    [{ gates: [() => undefined] }, 'gates[0]'],
    [{ gates: [{ admit: () => undefined }, { admitt: () => undefined }] }, 'gates[1]'],
    [{ gates: [{ admit: 'no' }] }, 'gates[0].admit'],
    [{ gates: [1] }, 'gates[0]'],
    [{ gates: 'x' }, 'gates'],
    [{ gates: { admit: () => undefined } }, 'gates'],
    [{ observers: ['x'] }, 'observers[0]'],
    [{ observers: [{}] }, 'observers[0]'],
    [{ observers: {} }, 'observers must be an array'],
    [{ stores: 'redis' }, 'stores'],
    [{ stores: { session: {} } }, 'stores.session is not'],
    [{ stores: { sessions: {} } }, 'stores.sessions must have the methods create, get'],
    [{ stores: { sessions: null } }, 'stores.sessions'],
    [{ stores: { rates: () => true } }, 'stores.rates must have the methods take'],
    [{ stores: { tasks: Promise.resolve({}) } }, 'stores.tasks is a promise: await it first'],
    [
      { cluster: 'redis://127.0.0.1' },
      'cluster must be what redis(url) of @longwire/cluster makes',
    ],
    [{ cluster: {} }, 'cluster must be what redis(url) of @longwire/cluster makes'],
    [
      { cluster: new MemoryCluster().member('a'), stores: { sessions: new MemorySessionStore() } },
      'stores.sessions cannot be given with cluster',
    ],
    [{ attempts: { max: -1, windowMs: 1_000 } }, 'attempts.max'],
    [{ attempts: { max: Infinity, windowMs: 1_000 } }, 'attempts.max'],
    [{ eventLog: { maxBytes: 0 }, stores: {} }, 'eventLog.maxBytes'],
    [{ rates: { tools: null } }, 'rates.tools'],
    [{ allowedHosts: ['*.example.com'] }, 'allowedHosts: "*.example.com"'],
    [{ allowedHosts: null }, 'allowedHosts'],
    [{ allowedOrigins: ['https://*.a.com'] }, 'allowedOrigins: "https://*.a.com"'],
    [{ allowedOrigins: ['*.a.com'] }, 'allowedOrigins: "*.a.com"'],
    [{ sessionIdleMs: null }, 'sessionIdleMs'],
    [{ maxSessions: null }, 'maxSessions'],
    [{ page: true }, 'page must be an object'],
    // It would be open to everybody.
    [{ page: { watch: () => undefined } }, 'page.allow'],
    [{ onMount: 'x' }, 'onMount'],
    [{ stop: null }, 'stop must be an object'],
    [{ requestStateKeys: ['short'] }, 'requestStateKeys[0]'],
    [{ requestStateKeys: 'a'.repeat(40) }, 'requestStateKeys'],
    [{ signals: 'no' }, 'signals'],
    [{ answerUncaught: 1 }, 'answerUncaught'],
    [{ host: 5 }, 'host'],
    [{ host: '' }, 'host'],
    [{ port: 70_000 }, 'port'],
    [{ port: null }, 'port'],
    [{ logger: 'yes' }, 'logger'],
    [{ prefix: 'api' }, 'prefix'],
    [{ prefix: '/api/' }, 'prefix'],
    [{ prefix: '/:tenant' }, 'prefix'],
  ])('is named in a TypeError: %j', async (options, message) => {
    const failure = await failureOf(options);
    expect(failure).toBeInstanceOf(TypeError);
    expect((failure as TypeError).message).toContain(message);
  });
});

it('takes stores and gates of any class', async () => {
  class Stores {
    take(): { isAllowed: boolean; left: number; retryAfterMs: number } {
      return { isAllowed: true, left: 1, retryAfterMs: 0 };
    }
  }
  class Gate {
    readonly name = 'mine';
    admit(): undefined {}
  }
  await serving({ stores: { rates: new Stores() }, gates: [new Gate()] });
});
