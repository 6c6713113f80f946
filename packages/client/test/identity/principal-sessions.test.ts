import type { CallToolResult } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type ClientOptions, type LongwireClient } from '../../src/index.ts';
import { bearer } from '../../src/middleware/index.ts';
import { until } from '../../../../test/support/until.ts';
import { startPrincipalServer, type PrincipalServer } from './principal-server.ts';

const said = ({ content: [first] }: CallToolResult): unknown =>
  first?.type === 'text' ? first.text : first;

describe.each(['/mcp', '/sse'])('the sessions of principals at %s', (path) => {
  let server: PrincipalServer;
  let client: LongwireClient;
  const clientOf = (options: ClientOptions): LongwireClient => {
    client = createClient(server.origin + path, options);
    return client;
  };
  beforeEach(async () => {
    server = await startPrincipalServer('s');
  });
  afterEach(async () => {
    await client.close();
    await server.close();
  });

  it('are closed where a principal first gets credentials of its own', async () => {
    clientOf({ middleware: [bearer('service')] });
    expect(said(await client.as('bob').callTool('read'))).toBe('s Bearer service');
    const before = server.others.length;
    const bob = client.as('bob', { token: 'bob' });
    expect(said(await bob.callTool('read'))).toBe('s Bearer bob');
    expect((await bob.health()).status).toBe('healthy');
    await bob.close();
    const ofBob = server.others.slice(before).filter(({ what }) => what !== 'DELETE');
    expect(ofBob.map(({ what }) => what)).toContain('initialize');
    expect(new Set(ofBob.map(({ principal }) => principal))).toEqual(new Set(['Bearer bob']));
  });

  it('are never those of the client where a principal had credentials of its own', async () => {
    clientOf({ headers: { authorization: 'Bearer service' } });
    expect(said(await client.as('bob', { token: 'bob' }).callTool('read'))).toBe('s Bearer bob');
    const bob = client.as('bob', { headers: { 'x-user': 'bob' } });
    expect(said(await bob.callTool('read'))).toBe('s bob');
  });

  it('are not opened with a token that cannot be sent', async () => {
    clientOf({});
    const options = { principal: { id: 'bob', token: 'hush\n' } };
    const failure: unknown = await client.callTool('read', {}, options).catch((error) => error);
    expect(failure).toBeInstanceOf(TypeError);
    expect(String(failure)).toMatch(/as\.token: it has characters that HTTP does not allow/);
    expect(String(failure)).not.toContain('hush');
    expect(server.others).toEqual([]);
  });

  it('are not opened any more for a call that was let in when the client was closed', async () => {
    clientOf({ principals: { maxSessions: 1 } });
    const first = client.as('one').callTool('read');
    const waiting = client.as('two').callTool('read');
    const failed = expect(waiting).rejects.toMatchObject({
      code: 'closed',
      certainty: 'not-sent',
    });
    await first;
    await client.close();
    await failed;
    expect(client.as('two').state.name).toBe('idle');
    expect(server.calls).toHaveLength(1);
  });

  it('are not waited for by a principal that is closed', async () => {
    clientOf({ principals: { maxSessions: 1 } });
    const stop = client.as('one').on('log', () => {});
    await client.as('one').callTool('read');
    const two = client.as('two');
    const waiting = two.callTool('read');
    const failed = expect(waiting).rejects.toMatchObject({
      code: 'closed',
      certainty: 'not-sent',
    });
    await two.close();
    await failed;
    stop();
    // It can be used again.
    expect(said(await two.callTool('look'))).toBe('s ');
  });

  it('are kept by a subscription whose principal the options name', async () => {
    clientOf({ principals: { idleMs: 0 } });
    const options = { principal: { id: 'bob', token: 'bob' } };
    await client.subscribeResource('note:///1', options);
    // By then an idle session is closed.
    await client.as('ann').callTool('read');
    await until(() => client.as('ann').state.name === 'idle');
    expect(client.as('bob').state.name).toBe('ready');
    await client.unsubscribeResource('note:///1', options);
    await until(() => client.as('bob').state.name === 'idle');
  });
});
