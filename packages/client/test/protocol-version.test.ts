import { Client } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { startHostileSse } from '../../../test/support/hostile-sse.ts';
import { startModernServer, type ModernServer } from '../../../test/support/modern-server.ts';
import {
  connect,
  createClient,
  createTransport,
  PROTOCOL_VERSIONS,
  type ClientOptions,
  type LongwireClient,
  type LongwireError,
} from '../src/index.ts';
import { resolveConnectionOptions } from '../src/connection/resolve-options.ts';
import { failureOf } from './support/failure-of.ts';
import { atTheEndOfEachTest, said } from './support/recovery.ts';

const { closeLater } = atTheEndOfEachTest();

type Legacy = NonNullable<NonNullable<Parameters<typeof startModernServer>[0]>['legacy']>;

const start = async (legacy: Legacy): Promise<ModernServer> =>
  closeLater(await startModernServer({ legacy }));
const connected = async (url: string, options?: ClientOptions): Promise<LongwireClient> =>
  closeLater(await connect(url, options));

const elicitation = (): { action: 'accept'; content: { name: string } } => ({
  action: 'accept',
  content: { name: 'me' },
});
const eraOf = (client: LongwireClient): unknown => client.sdk.getProtocolEra();

describe('a server that speaks both eras, with sessions in the older one', () => {
  it('is spoken to in the newest by a program that cannot be asked', async () => {
    const { url } = await start('sessions');
    const client = await connected(url);
    expect([eraOf(client), client.protocolVersion]).toEqual(['modern', '2026-07-28']);
  });

  it.each<[string, NonNullable<ClientOptions['handlers']>]>([
    ['elicitation', { elicitation }],
    ['roots', { roots: () => [] }],
    [
      'sampling',
      { sampling: () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: '' } }) },
    ],
  ])('is spoken to in the older by a program with %s', async (_name, handlers) => {
    const { url } = await start('sessions');
    const client = await connected(url, { handlers });
    expect([eraOf(client), client.protocolVersion]).toEqual(['legacy', '2025-11-25']);
  });

  it('can ask then, in the way of tools of either era', async () => {
    const { url } = await start('sessions');
    const client = await connected(url, { handlers: { elicitation } });
    expect(await client.callTool('ask-back')).toMatchObject(said('accept') as object);
    expect(await client.callTool('ask')).toMatchObject(said('hello me') as object);
  });

  it('cannot ask back in the newest, and what is told names the option', async () => {
    const { url } = await start('sessions');
    const options: ClientOptions = { protocol: '2026-07-28', handlers: { elicitation } };
    const client = await connected(url, options);
    expect(eraOf(client)).toBe('modern');
    const told: LongwireError[] = [];
    client.on('error', (error) => told.push(error));
    expect(await client.callTool('ask-back')).toMatchObject({ isError: true });
    expect(told).toMatchObject([{ code: 'protocol', certainty: 'answered' }]);
    expect(told[0]?.message).toContain("protocol: '2025-11-25'");
    expect(await client.callTool('ask')).toMatchObject(said('hello me') as object);
  });

  it('is found the same whoever asked it before', async () => {
    const { url } = await start('sessions');
    const eras: unknown[] = [];
    for (const handlers of [undefined, { elicitation }, undefined, { elicitation }]) {
      const client = await connected(url, handlers && { handlers });
      eras.push(eraOf(client));
    }
    expect(eras).toEqual(['modern', 'legacy', 'modern', 'legacy']);
  });

  it.each(PROTOCOL_VERSIONS)(
    'is spoken to in version %s, and calls are answered',
    async (protocol) => {
      const { url } = await start('sessions');
      const client = await connected(url, { protocol });
      expect(client.protocolVersion).toBe(protocol);
      expect(eraOf(client)).toBe(protocol === '2026-07-28' ? 'modern' : 'legacy');
      expect(await client.callTool('echo', { message: 'x' })).toMatchObject(said('x') as object);
      // The next session, too.
      await client.close();
      expect(await client.callTool('echo', { message: 'y' })).toMatchObject(said('y') as object);
      expect(client.protocolVersion).toBe(protocol);
    },
  );

  it.each(['2026-07-28', '2025-06-18'] as const)(
    'is spoken to in version %s by a program with a Client of its own',
    async (protocol) => {
      const { url } = await start('sessions');
      const sdk = new Client(
        { name: 'own', version: '1' },
        { versionNegotiation: { mode: 'auto' } },
      );
      closeLater(sdk);
      await sdk.connect(createTransport(url, { protocol }));
      expect(sdk.getNegotiatedProtocolVersion()).toBe(protocol);
    },
  );
});

describe('a server that speaks both eras, without sessions in the older one', () => {
  it('is spoken to in the newest, because there it can ask', async () => {
    const { url } = await start('stateless');
    const client = await connected(url, { handlers: { elicitation } });
    expect(eraOf(client)).toBe('modern');
    expect(await client.callTool('ask')).toMatchObject(said('hello me') as object);
    // What was found is asked at once from then on.
    expect(eraOf(await connected(url, { handlers: { elicitation } }))).toBe('modern');
  });

  it('is found to be such where one with sessions was before', async () => {
    const before = await startModernServer({ legacy: 'sessions' });
    expect(eraOf(await connected(before.url, { handlers: { elicitation } }))).toBe('legacy');
    await before.close();
    const port = Number(new URL(before.url).port);
    const { url } = closeLater(await startModernServer({ legacy: 'stateless', port }));
    expect(eraOf(await connected(url, { handlers: { elicitation } }))).toBe('modern');
  });

  it('is spoken to in an older version that is named', async () => {
    const { url } = await start('stateless');
    const client = await connected(url, { handlers: { elicitation }, protocol: '2025-06-18' });
    expect(client.protocolVersion).toBe('2025-06-18');
    expect(await client.callTool('echo', { message: 'x' })).toMatchObject(said('x') as object);
  });
});

describe('a version that the server does not speak', () => {
  it('is an error that names the option: an older one', async () => {
    const { url } = await start('reject');
    const error = await failureOf(connect(url, { protocol: '2025-06-18' }));
    expect(error).toMatchObject({ code: 'not-mcp', certainty: 'not-sent' });
    expect(error.message).toContain('does not speak protocol 2025-06-18: Unsupported protocol');
    expect(error.hint).toContain('leave out protocol');
  });

  it('the newest', async () => {
    await using server = await startHostileSse();
    const origin = new URL(server.url).origin;
    const error = await failureOf(connect(origin, { protocol: '2026-07-28' }));
    expect(error).toMatchObject({ code: 'not-mcp', certainty: 'not-sent' });
    expect(error.hint).toContain('leave out protocol');
    expect(server.messagesOf('initialize')).toEqual([]);
    const none = { protocol: '2026-07-28', transport: 'sse' } as const;
    expect(await failureOf(connect(server.url, none))).toMatchObject({ code: 'config' });
  });

  it('or answers otherwise', async () => {
    await using server = await startHostileSse();
    const error = await failureOf(connect(server.url, { protocol: '2025-03-26' }));
    expect(error).toMatchObject({ code: 'not-mcp', certainty: 'not-sent' });
    expect(error.message).toMatch(/not speak protocol 2025-03-26: it answers with 20\d\d-/);
  });

  it('is none that a server in this process speaks', async () => {
    const server = (): McpServer => new McpServer({ name: 'here', version: '1' });
    const error = await failureOf(connect({ server }, { protocol: '2026-07-28' }));
    expect(error).toMatchObject({ code: 'not-mcp', certainty: 'not-sent' });
    const client = closeLater(await connect({ server }, { protocol: '2025-03-26' }));
    expect(client.protocolVersion).toBe('2025-03-26');
  });

  it('is no version', () => {
    expect(() => createClient('http://h', { protocol: '2025-11' as never })).toThrow(
      /protocol: "2025-11" is none of auto, 2026-07-28/,
    );
  });
});

describe('how long connecting may take', () => {
  it('is longer for a command, which may have to be fetched first', () => {
    const msOf = (kind: 'url' | 'command' | 'server'): number =>
      resolveConnectionOptions({}, kind).connectMs;
    expect([msOf('url'), msOf('command'), msOf('server')]).toEqual([30_000, 60_000, 30_000]);
    const given = { timeouts: { connectMs: 5 } };
    expect(resolveConnectionOptions(given, 'command').connectMs).toBe(5);
  });
});
