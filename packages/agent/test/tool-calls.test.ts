import { connect, LongwireError, type LongwireClient, type ToolSource } from '@longwire/client';
import { expect, test } from 'vitest';
import { type HostileSseServer, startHostileSse } from '../../../test/support/hostile-sse.ts';
import { until } from '../../../test/support/until.ts';
import { callFailureText } from '../src/call-failure.ts';
import { collect, done, ofType, setup } from './support/setup.ts';
import { messageEnd, messageStart, toolUseBlock } from './support/stream-events.ts';
import type { WireBlock } from './support/valid-conversation.ts';

const inputSchema = { type: 'object', properties: {} };
const tools = [
  { name: 'look', inputSchema, annotations: { readOnlyHint: true } },
  { name: 'pay', inputSchema, annotations: { destructiveHint: true } },
];

/** A server that does not answer calls until it is told otherwise. */
function startServer(): Promise<HostileSseServer> {
  return startHostileSse({
    hangOnCall: true,
    answer: ({ method, params }) => {
      if (method === 'tools/list') return { tools };
      if (method !== 'tools/call') return undefined;
      return { content: [{ type: 'text', text: `${String(params?.['name'])} ran` }] };
    },
  });
}

/** Asks for one call, cuts the connection in the middle of it, and says what Claude was told. */
async function turnOverCut(tool: string, server: HostileSseServer, client: LongwireClient) {
  const { agent, claude } = await setup(
    [{ calls: [{ id: 'toolu_1', name: tool }] }, { text: 'I see.' }],
    { clients: [client] },
  );
  const turn = collect(agent.send('Go'));
  await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
  server.mischief.hangOnCall = false;
  server.cut();
  const events = await turn;
  const content = claude.bodies()[1]?.messages[2]?.content;
  const [told] = Array.isArray(content) ? (content as WireBlock[]) : [];
  return { events, told };
}

test('a turn survives a cut in the middle of a safe call, which runs again on the new session', async () => {
  await using server = await startServer();
  await using client = await connect(server.url);
  const { events, told } = await turnOverCut('look', server, client);
  expect(done(events)).toMatchObject({ reason: 'end-turn', text: 'I see.' });
  expect(ofType(events, 'tool-result')).toMatchObject([{ tool: 'look', isError: false }]);
  // It waited for the server meanwhile.
  expect(ofType(events, 'tool-waiting')).toMatchObject([
    { tool: 'look', waiting: { what: 'the call of look', reason: { code: 'connection-lost' } } },
  ]);
  expect(told).toMatchObject({ tool_use_id: 'toolu_1', content: [{ text: 'look ran' }] });
  expect(told).not.toHaveProperty('is_error');
  expect(server.messagesOf('tools/call')).toHaveLength(2);
  expect(server.openedSessions()).toBe(2);
});

test('of a call that may have changed something, Claude is told that nobody knows', async () => {
  await using server = await startServer();
  await using client = await connect(server.url);
  const { events, told } = await turnOverCut('pay', server, client);
  expect(done(events)).toMatchObject({ reason: 'end-turn', text: 'I see.' });
  expect(ofType(events, 'tool-result')).toMatchObject([
    { isError: true, error: { code: 'connection-lost', certainty: 'outcome-unknown' } },
  ]);
  expect(told).toMatchObject({ tool_use_id: 'toolu_1', is_error: true });
  const text = JSON.stringify(told?.content);
  expect(text).toMatch(/outcome is unknown: the tool may have run, or not.*Assume neither\./);
  expect(text).toMatch(/Do not repeat it blindly.*find out whether it did.*connection was lost/);

  // On the connection that came back, nothing runs that nobody asked for.
  await client.callTool('look');
  expect(server.messagesOf('tools/call').map(({ params }) => params?.['name'])).toEqual([
    'pay',
    'look',
  ]);
});

test('of a call that was answered, Claude has the answer, whatever is wrong with it', async () => {
  const outputSchema = { type: 'object', properties: { paid: { type: 'boolean' } } };
  await using server = await startHostileSse({
    answer: ({ method }) => {
      if (method === 'tools/list') return { tools: [{ name: 'pay', inputSchema, outputSchema }] };
      if (method !== 'tools/call') return undefined;
      return { content: [{ type: 'text', text: 'order 7' }], structuredContent: { paid: 'yes' } };
    },
  });
  await using client = await connect(server.url);
  const { agent, claude } = await setup(
    [{ calls: [{ id: 'toolu_1', name: 'pay' }] }, { text: 'Paid.' }],
    { clients: [client] },
  );
  const events = await collect(agent.send('Go'));
  expect(ofType(events, 'tool-result')).toMatchObject([
    {
      isError: false,
      result: { structuredContent: { paid: 'yes' } },
      error: { code: 'protocol', certainty: 'answered' },
    },
  ]);
  const content = claude.bodies()[1]?.messages[2]?.content;
  const [told] = Array.isArray(content) ? (content as WireBlock[]) : [];
  expect(told).not.toHaveProperty('is_error');
  const text = JSON.stringify(told?.content);
  expect(text).toMatch(/order 7.*paid.*yes.*pay ran and answered.*Do not repeat the call/);
  expect(server.messagesOf('tools/call')).toHaveLength(1);
});

test('of an answer that cannot be used, Claude is told that the tool ran', () => {
  const options = { certainty: 'answered' } as const;
  for (const code of ['protocol', 'limit-exceeded'] as const) {
    const told = callFailureText(new LongwireError('too deep', { code, ...options }));
    expect(told).toMatch(/the tool ran.*cannot be used.*Do not repeat the call.*too deep/);
  }
  const refused = callFailureText(new LongwireError('no', { code: 'server-error', ...options }));
  expect(refused).toBe('The server answered the call with an error. no');
});

test('integers beyond 2^53 are as Claude wrote them, and as the server did', async () => {
  const id = 9007199254740993n;
  const calls: unknown[] = [];
  const source: ToolSource = {
    name: 'shop',
    listTools: async () => [{ name: 'find', inputSchema: { type: 'object' } }],
    callTool: async (_name, args) => {
      calls.push(args);
      return { content: [], structuredContent: { id } };
    },
    on: () => () => {},
  };
  const { agent, claude } = await setup([{ text: 'Found.' }], { clients: [source] });
  const json = `{"id":${id},"n":7}`;
  const use = { id: 'toolu_1', name: 'find', json };
  claude.proxy.next({
    type: 'stream',
    events: [messageStart(), ...toolUseBlock(0, use), ...messageEnd('tool_use')],
    ending: 'end',
  });
  const events = await collect(agent.send('Go'));
  expect(calls).toEqual([{ id, n: 7 }]);
  expect(ofType(events, 'tool-call')).toMatchObject([{ arguments: { id, n: 7 } }]);
  const [, asked, answered] = claude.bodies()[1]?.messages ?? [];
  expect(JSON.stringify(asked)).toContain('"input":{"id":"9007199254740993","n":7}');
  expect(JSON.stringify(answered)).toContain('{\\"id\\":9007199254740993}');
});
