import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LongwireError } from '@longwire/client';
import type { Client } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { connectSdkClient } from '../../examples/sdk-client.mjs';
import { type HostileSseServer, startHostileSse } from '../support/hostile-sse.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import type { RpcMessage } from '../support/strict-mcp-session.ts';
import { until } from '../support/until.ts';

expectNothingLeftOpen();

const program = fileURLToPath(new URL('../../examples/sdk-client.mjs', import.meta.url));

const inputSchema = { type: 'object' };
const tools = [
  { name: 'look_up', inputSchema, annotations: { readOnlyHint: true } },
  { name: 'put_away', inputSchema, annotations: { idempotentHint: true } },
  { name: 'pay', inputSchema },
];

/** Tools of which two are safe to call again, and say so; each tells what it was called with. */
function answer({ method, params }: RpcMessage): unknown {
  if (method === 'tools/list') return { tools };
  if (method !== 'tools/call') return undefined;
  return { content: [{ type: 'text', text: JSON.stringify(params?.['arguments']) }] };
}

function textOf(args: object): unknown {
  return expect.objectContaining({ content: [{ type: 'text', text: JSON.stringify(args) }] });
}

/** The calls of a tool that the server took. */
function callsOf(server: HostileSseServer, tool: string): RpcMessage[] {
  return server.messagesOf('tools/call').filter(({ params }) => params?.['name'] === tool);
}

async function connected(server: HostileSseServer): Promise<Client & AsyncDisposable> {
  const client = await connectSdkClient(server.url);
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

test('lists the tools of a server', async () => {
  await using server = await startHostileSse({ answer });
  const { stdout } = await promisify(execFile)(process.execPath, [program, server.url]);
  expect(stdout.split('\n').map((line) => line.split(':')[0])).toEqual([
    'look_up',
    'put_away',
    'pay',
    '',
  ]);
  await until(() => expect(server.openConnections()).toBe(0));
});

test.for([
  [
    'no server',
    'http://127.0.0.1:1/sse',
    /^(?:Version negotiation probe failed: )?cannot connect to http:\/\/127\.0\.0\.1:1: .+\n$/,
  ],
  ['no URL', 'nonsense', /^"nonsense" is not a URL.*\n$/],
] as const)('with %s says so in one line', async ([, url, message]) => {
  const failure: unknown = await promisify(execFile)(process.execPath, [program, url]).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
});

test('survives a stream that is cut with three calls in flight, one of them a write', async () => {
  await using server = await startHostileSse({ answer });
  await using client = await connected(server);

  server.mischief.hangOnCall = true;
  const calls = Promise.allSettled([
    client.callTool({ name: 'look_up', arguments: { key: 1 } }),
    client.callTool({ name: 'pay', arguments: { amount: 2 } }),
    client.callTool({ name: 'put_away', arguments: { key: 3 } }),
  ]);
  await until(() => expect(server.messagesOf('tools/call')).toHaveLength(3));
  server.mischief.hangOnCall = false;
  server.cut();

  const [lookedUp, paid, putAway] = await calls;
  expect(lookedUp).toEqual({ status: 'fulfilled', value: textOf({ key: 1 }) });
  expect(putAway).toEqual({ status: 'fulfilled', value: textOf({ key: 3 }) });
  const reason: unknown = paid.status === 'rejected' ? paid.reason : undefined;
  expect(reason).toBeInstanceOf(LongwireError);
  expect(reason).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });

  expect(await client.callTool({ name: 'pay', arguments: { amount: 4 } })).toEqual(
    textOf({ amount: 4 }),
  );
  const amounts = callsOf(server, 'pay').map(({ params }) => params?.['arguments']);
  expect(amounts).toEqual([{ amount: 2 }, { amount: 4 }]);
  expect(callsOf(server, 'look_up')).toHaveLength(2);
  expect(callsOf(server, 'put_away')).toHaveLength(2);
  expect(server.messagesOf('initialize')).toHaveLength(2);
  expect([server.openedSessions(), server.openStreams()]).toEqual([2, 1]);
});

describe.for([
  [404, 'Session not found'],
  [400, 'No transport found for sessionId'],
] as const)('when the server was restarted and answers %i', ([status, body]) => {
  test('ten calls in parallel succeed after one more handshake', async () => {
    await using server = await startHostileSse({ answer });
    await using client = await connected(server);

    server.mischief.lostSessionAnswer = { status, body };
    server.dropSessions();
    const amounts = Array.from({ length: 10 }, (_, index) => ({ amount: index }));
    const results = await Promise.all(
      amounts.map((amount) => client.callTool({ name: 'pay', arguments: amount })),
    );

    expect(results).toEqual(amounts.map(textOf));
    const ran = callsOf(server, 'pay').map(({ params }) => params?.['arguments']);
    expect(ran).toHaveLength(10);
    expect(ran).toEqual(expect.arrayContaining(amounts));
    expect(server.messagesOf('initialize')).toHaveLength(2);
    expect(server.openedSessions()).toBe(2);
    await until(() => expect(server.openStreams()).toBe(1));
  });
});
