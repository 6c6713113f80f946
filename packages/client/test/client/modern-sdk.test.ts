import { Client } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { startModernServer, type ModernServer } from '../../../../test/support/modern-server.ts';
import { until } from '../../../../test/support/until.ts';
import { connect, createTransport, type LongwireTransport } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, quick, said } from '../support/recovery.ts';

const { closeLater } = atTheEndOfEachTest();

const start = async (legacy: 'reject' | 'stateless'): Promise<ModernServer> =>
  closeLater(await startModernServer({ legacy }));

describe.each(['reject', 'stateless'] as const)('the official server, legacy: %s', (legacy) => {
  it('is spoken to in the modern era', async () => {
    const server = await start(legacy);
    const client = closeLater(await connect(server.url));
    expect(client.sdk.getProtocolEra()).toBe('modern');
    expect(client.protocolVersion).toBe('2026-07-28');
    expect(client.server).toMatchObject({ name: 'modern', version: '1.0.0' });
    expect(client.capabilities).toMatchObject({ tools: {}, resources: { subscribe: true } });
    const names = (await client.listTools()).map(({ name }) => name);
    expect(names).toEqual(['echo', 'steps', 'ask', 'region', 'wait']);
    expect(await client.callTool('echo', { message: 'hé' })).toMatchObject(said('hé') as object);
    expect(await client.readResource('note:///1')).toMatchObject({
      contents: [{ text: 'a note' }],
    });
    const seen: number[] = [];
    await client.callTool('steps', {}, { onProgress: ({ progress }) => seen.push(progress) });
    expect(seen).toEqual([1, 2, 3]);
  });

  it('asks for what it needs before it answers', async () => {
    const server = await start(legacy);
    const client = closeLater(
      await connect(server.url, {
        handlers: {
          elicitation: ({ message }) => ({ action: 'accept', content: { name: `${message} me` } }),
        },
      }),
    );
    expect(await client.callTool('ask')).toMatchObject(said('hello Who is it? me') as object);
    expect(server.calls).toEqual(['ask']);
  });

  it('fails where there is no handler for a question', async () => {
    const server = await start(legacy);
    const client = closeLater(await connect(server.url));
    const met = await failureOf(client.callTool('ask'));
    expect(met.code).toMatch(/^(server-error|protocol)$/);
    expect(server.calls).toEqual([]);
    expect(await client.callTool('echo', { message: 'x' })).toMatchObject(said('x') as object);
  });

  it.each(['listed', 'not listed'])(
    'is told an argument in a header, of a tool %s',
    async (how) => {
      const server = await start(legacy);
      const client = closeLater(await connect(server.url));
      if (how === 'listed') await client.listTools();
      const call = client.callTool('region', { where: 'Köln' });
      expect(await call).toMatchObject(said('Köln') as object);
      expect(server.regions).toEqual([`=?base64?${Buffer.from('Köln').toString('base64')}?=`]);
      expect(await client.callTool('region', { where: 'Rom' })).toMatchObject(
        said('Rom') as object,
      );
      expect(server.calls).toEqual(['region', 'region']);
    },
  );

  it('notices that a call was given up', async () => {
    const server = await start(legacy);
    const client = closeLater(await connect(server.url));
    const aborting = new AbortController();
    const call = failureOf(client.callTool('wait', {}, { signal: aborting.signal }));
    await until(() => expect(server.calls).toEqual(['wait']));
    aborting.abort();
    expect(await call).toMatchObject({ code: 'aborted', certainty: 'outcome-unknown' });
    await until(() => expect(server.calls).toEqual(['wait', 'wait ended']));
  });

  it('sends changes to listeners', async () => {
    const server = await start(legacy);
    const client = closeLater(await connect(server.url, quick));
    await client.listTools();
    expect(server.openSubscriptions()).toBe(0);
    let changes = 0;
    const uris: unknown[] = [];
    client.on('toolsChanged', () => changes++);
    client.on('notification', ({ method, params }) => {
      if (method === 'notifications/resources/updated') uris.push(params?.['uri']);
    });
    await client.subscribeResource('note:///1');
    await until(() => expect(server.openSubscriptions()).toBe(1));
    server.addTool('late');
    server.updated('note:///2');
    server.updated('note:///1');
    await until(() => expect([changes, uris]).toEqual([1, ['note:///1']]));
    expect((await client.listTools()).at(-1)).toMatchObject({ name: 'late' });
    await client.close();
    await until(() => expect(server.openSubscriptions()).toBe(0));
  });
});

type Negotiation = NonNullable<ConstructorParameters<typeof Client>[1]>['versionNegotiation'];

/** A program's own `Client` on our transport. */
async function attach(
  server: ModernServer,
  negotiation: Negotiation,
): Promise<{ client: Client; transport: LongwireTransport }> {
  const transport = createTransport(server.url, quick);
  const client = new Client(
    { name: 'program', version: '1' },
    { capabilities: { elicitation: {} }, ...(negotiation && { versionNegotiation: negotiation }) },
  );
  closeLater(client);
  await client.connect(transport);
  return { client, transport };
}

describe.each([
  ['reject', { mode: 'auto' }, 'modern'],
  ['reject', { mode: { pin: '2026-07-28' } }, 'modern'],
  ['stateless', { mode: 'auto' }, 'modern'],
  ['stateless', { mode: { pin: '2026-07-28' } }, 'modern'],
  ['stateless', { mode: 'legacy' }, 'legacy'],
  ['stateless', undefined, 'legacy'],
] as const)('with legacy: %s, a Client of its own with %j', (legacy, negotiation, era) => {
  it(`speaks the ${era} era`, async () => {
    const server = await start(legacy);
    const { client, transport } = await attach(server, negotiation);
    expect(client.getProtocolEra()).toBe(era);
    expect(transport.state).toMatchObject({ name: 'ready', transport: 'streamable-http' });
    expect((await client.listTools()).tools).toHaveLength(5);
    const texts = Array.from({ length: 10 }, (_, i) => `m${i}`);
    const calls = texts.map((message) => client.callTool({ name: 'echo', arguments: { message } }));
    expect(await Promise.all(calls)).toMatchObject(texts.map(said));
    const seen: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void seen.push(progress);
    await client.callTool({ name: 'steps', arguments: {} }, { onprogress });
    expect(seen).toEqual([1, 2, 3]);
  });
});

it('a Client of its own that knows only the legacy era gets an error that says so', async () => {
  const server = await start('reject');
  const refused = attach(server, { mode: 'legacy' });
  await expect(refused).rejects.toThrow(/version/i);
});

describe.each([{ mode: 'auto' }, { mode: { pin: '2026-07-28' } }] as const)(
  'listen() of a Client of its own with %j',
  (negotiation) => {
    it('gets what it asked for, until it closes', async () => {
      const server = await start('reject');
      const { client } = await attach(server, negotiation);
      const methods: string[] = [];
      client.setNotificationHandler('notifications/tools/list_changed', ({ method }) => {
        methods.push(method);
      });
      client.setNotificationHandler('notifications/resources/updated', ({ method }) => {
        methods.push(method);
      });
      const subscription = await client.listen({
        toolsListChanged: true,
        resourceSubscriptions: ['note:///1'],
      });
      expect(subscription.honoredFilter).toMatchObject({ toolsListChanged: true });
      expect(server.openSubscriptions()).toBe(1);
      server.addTool('late');
      server.updated('note:///1');
      await until(() => expect(methods).toHaveLength(2));
      await subscription.close();
      await until(() => expect(server.openSubscriptions()).toBe(0));
      expect(await client.callTool({ name: 'late', arguments: {} })).toMatchObject(
        said('late') as object,
      );
    });

    it('ends with its server', async () => {
      const server = await start('reject');
      const { client } = await attach(server, negotiation);
      const subscription = await client.listen({ toolsListChanged: true });
      await server.close();
      expect(await subscription.closed).toMatch(/^(graceful|remote)$/);
    });

    it('and its elicitation and headers work', async () => {
      const server = await start('reject');
      const { client } = await attach(server, negotiation);
      client.setRequestHandler('elicitation/create', () => ({
        action: 'accept',
        content: { name: 'you' },
      }));
      const asked = client.callTool({ name: 'ask', arguments: {} });
      expect(await asked).toMatchObject(said('hello you') as object);
      await client.listTools();
      await client.callTool({ name: 'region', arguments: { where: 'Rom' } });
      expect(server.regions).toEqual(['Rom']);
    });
  },
);
