import Anthropic from '@anthropic-ai/sdk';
import { type Agent, type AgentOptions, createAgent } from '@longwire/agent';
import { connect, type LongwireClient } from '@longwire/client';
import { serve } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRecordingProxy } from '../../packages/agent/test/support/recording-proxy.ts';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { collect, done, ofType } from '../../packages/agent/test/support/setup.ts';
import type {
  MessagesRequest,
  WireBlock,
} from '../../packages/agent/test/support/valid-conversation.ts';
import { createDemoServer } from '../../packages/cli/src/demo/server.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { type Peer, startEverything } from '../support/peers.ts';
import type { RpcMessage } from '../support/strict-mcp-session.ts';
import { until } from '../support/until.ts';
import { startObservedServer } from './support/observed-server.ts';

expectNothingLeftOpen();

let everything: Peer;
beforeAll(async () => {
  everything = await startEverything({ mode: 'sse' });
});
afterAll(() => everything.stop());

/** An agent that asks a scripted Claude, and the requests that it made, checked. */
interface Setting extends AsyncDisposable {
  agent: Agent;
  bodies(): MessagesRequest[];
}

async function setUp(
  clients: LongwireClient[],
  script: Parameters<typeof startScriptedClaude>[0],
  options: Pick<AgentOptions, 'callOptions'> = {},
): Promise<Setting> {
  const claude = await startScriptedClaude(script);
  const anthropic = new Anthropic({ baseURL: claude.url, apiKey: 'test-key', maxRetries: 0 });
  const agent = createAgent({ clients, anthropic, ...options });
  return {
    agent,
    bodies: () => claude.bodies(),
    [Symbol.asyncDispose]: async () => {
      agent.close();
      await claude.close();
      claude.bodies();
    },
  };
}

/** The tool results of the last message of a request. */
function resultsOf(body: MessagesRequest | undefined): WireBlock[] {
  const content = body?.messages.at(-1)?.content ?? [];
  return typeof content === 'string' ? [] : content.filter(({ type }) => type === 'tool_result');
}

function namesOf(body: MessagesRequest | undefined): string[] {
  return (body?.tools ?? []).map(({ name }) => name);
}

describe('with a server of ours and one of others side by side', () => {
  test('names are unique, and each call reaches the server that it names', async () => {
    await using demo = await serve({ create: () => createDemoServer() });
    await using ours = await connect(demo.sseUrl, { name: 'demo' });
    await using theirs = await connect(everything.url, { name: 'everything' });
    await using setting = await setUp(
      [ours, theirs],
      [
        {
          calls: [
            { id: 'toolu_1', name: 'demo__echo', arguments: { message: 'hi' } },
            { id: 'toolu_2', name: 'everything__echo', arguments: { message: 'hi' } },
            { id: 'toolu_3', name: 'everything__get-tiny-image' },
            { id: 'toolu_4', name: 'demo__fail', arguments: { reason: 'no tea' } },
          ],
        },
        { text: 'Both said it.' },
      ],
    );
    const events = await collect(setting.agent.send('Say hi twice'));
    expect(done(events)).toMatchObject({ reason: 'end-turn', text: 'Both said it.' });

    const [first, second] = setting.bodies();
    const expected = [
      ...(await ours.listTools()).map(({ name }) => `demo__${name}`),
      ...(await theirs.listTools()).map(({ name }) => `everything__${name}`),
    ];
    expect(namesOf(first).toSorted()).toEqual(expected.toSorted());
    expect(new Set(expected).size).toBe(expected.length);

    const [ownEcho, otherEcho, image, failed] = resultsOf(second);
    expect(ownEcho?.content).toMatchObject([{ type: 'text', text: 'hi' }]);
    expect(otherEcho?.content).toMatchObject([{ type: 'text', text: 'Echo: hi' }]);
    const { content } = await theirs.callTool('get-tiny-image');
    const [sent] = content.flatMap((block) => (block.type === 'image' ? [block.data] : []));
    expect(image?.content).toMatchObject([
      { type: 'text' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: sent } },
      { type: 'text' },
    ]);
    expect(failed).toMatchObject({ is_error: true, content: [{ text: 'no tea' }] });
  });

  test('progress of both comes while they run at the same time', async () => {
    await using demo = await serve({ create: () => createDemoServer() });
    await using ours = await connect(demo.sseUrl, { name: 'demo' });
    await using theirs = await connect(everything.url, { name: 'everything' });
    const long = 'trigger-long-running-operation';
    await using setting = await setUp(
      [ours, theirs],
      [
        {
          calls: [
            { id: 'toolu_1', name: 'demo__long_task', arguments: { steps: 4, stepMs: 20 } },
            { id: 'toolu_2', name: `everything__${long}`, arguments: { duration: 0.1, steps: 5 } },
          ],
        },
        { text: 'Done.' },
      ],
    );
    const events = await collect(setting.agent.send('Work'));
    const stepsOf = (id: string): number[] =>
      ofType(events, 'tool-progress')
        .filter((event) => event.id === id)
        .map(({ progress }) => progress.progress);
    expect(stepsOf('toolu_1')).toEqual([1, 2, 3, 4]);
    expect(stepsOf('toolu_2')).toEqual([1, 2, 3, 4, 5]);
    const last = events.findLastIndex(({ type }) => type === 'tool-progress');
    const results = ofType(events, 'tool-result');
    expect(results.map(({ isError }) => isError)).toEqual([false, false]);
    // What came last was still before the result of its own call.
    expect(last).toBeLessThan(events.indexOf(results.at(-1) as (typeof events)[number]));
  });
});

test('a tool that a server gets in the middle of a turn is offered in the next round, and called', async () => {
  await using observed = await startObservedServer();
  await using client = await connect(observed.url);
  const changes: unknown[] = [];
  client.on('toolsChanged', (change) => changes.push(change));
  await using setting = await setUp(
    [client],
    [
      { calls: [{ id: 'toolu_1', name: 'meet', arguments: { name: 'Claude', of: 2 } }] },
      { calls: [{ id: 'toolu_2', name: 'grown' }] },
      { text: 'It has grown.' },
    ],
  );
  const turn = collect(setting.agent.send('Grow'));
  await until(() => expect(observed.calls).toHaveLength(1));
  observed.addTool('grown');
  await until(() => expect(changes).toHaveLength(1));
  await client.callTool('meet', { name: 'the test', of: 2 });
  expect(done(await turn)).toMatchObject({ text: 'It has grown.' });

  const [before, after, last] = setting.bodies();
  expect(namesOf(before)).not.toContain('grown');
  expect(namesOf(after)).toEqual([...namesOf(before), 'grown']);
  expect(resultsOf(last)).toMatchObject([{ content: [{ text: 'grown' }] }]);
  expect(observed.calls.map(({ tool }) => tool)).toEqual(['meet', 'meet', 'grown']);
});

describe('a turn that is aborted while a tool runs', () => {
  test('cancels the call on the server, and the conversation continues in the same session', async () => {
    await using observed = await startObservedServer();
    await using client = await connect(observed.url);
    await using setting = await setUp(
      [client],
      [
        { calls: [{ id: 'toolu_1', name: 'wait' }] },
        { calls: [{ id: 'toolu_2', name: 'write', arguments: { text: 'tea' } }] },
        { text: 'Written.' },
      ],
    );
    const { agent } = setting;
    const stop = new AbortController();
    const turn = collect(agent.send('Wait', { signal: stop.signal }));
    await until(() => expect(observed.calls).toHaveLength(1));
    stop.abort();
    expect(done(await turn)).toMatchObject({ reason: 'aborted' });
    // The client's own words: the session did not just go away.
    await until(() => expect(observed.calls[0]?.cancelled).toContain('abort'));

    expect(done(await collect(agent.send('Then write')))).toMatchObject({ text: 'Written.' });
    expect(observed.openSessions()).toBe(1);
    const messages = setting.bodies()[1]?.messages ?? [];
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(messages[2]?.content).toMatchObject([
      { type: 'tool_result', tool_use_id: 'toolu_1', is_error: true },
      { type: 'text', text: 'Then write' },
    ]);
  });

  test('cancels that very call on a server of others', async () => {
    const wire = await startRecordingProxy(new URL(everything.url).origin);
    const sent = (method: string): RpcMessage[] =>
      wire.requests
        .filter(({ text }) => text !== '')
        .map(({ text }) => JSON.parse(text) as RpcMessage)
        .filter((message) => message.method === method);
    try {
      await using client = await connect(`${wire.url}/sse`);
      const call = {
        name: 'trigger-long-running-operation',
        arguments: { duration: 1, steps: 50 },
      };
      await using setting = await setUp([client], [{ calls: [{ id: 'toolu_1', ...call }] }]);
      const stop = new AbortController();
      for await (const event of setting.agent.send('Work', { signal: stop.signal })) {
        if (event.type === 'tool-progress') stop.abort();
      }
      await until(() => expect(sent('notifications/cancelled')).toHaveLength(1));
      const [request] = sent('tools/call');
      expect(request?.id).toBeDefined();
      expect(sent('notifications/cancelled')).toMatchObject([
        { params: { requestId: request?.id } },
      ]);
    } finally {
      await wire.close();
    }
  });
});

test('a server that goes away and does not come back: Claude is told, and continues with another', async () => {
  const leaving = await startObservedServer();
  await using staying = await startObservedServer();
  await using first = await connect(leaving.url, { name: 'first' });
  await using second = await connect(staying.url, { name: 'second' });
  await using setting = await setUp(
    [first, second],
    [
      { calls: [{ id: 'toolu_1', name: 'first__wait' }] },
      { calls: [{ id: 'toolu_2', name: 'second__write', arguments: { text: 'tea' } }] },
      { text: 'The second did it.' },
    ],
    // The call does no harm when it is sent again, and waits so long for a server to send it to.
    { callOptions: { timeoutMs: 3000 } },
  );
  const turn = collect(setting.agent.send('Work'));
  await until(() => expect(leaving.calls).toHaveLength(1));
  await leaving[Symbol.asyncDispose]();
  const events = await turn;
  expect(done(events)).toMatchObject({ reason: 'end-turn', text: 'The second did it.' });
  const [told] = resultsOf(setting.bodies()[1]);
  expect(told).toMatchObject({ tool_use_id: 'toolu_1', is_error: true });
  expect(JSON.stringify(told?.content)).toContain('outcome is unknown');
  expect(staying.calls).toMatchObject([{ tool: 'write' }]);
});
