import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import {
  createClient,
  type ClientOptions,
  type Middleware,
  type ToolSource,
} from '@longwire/client';
import { createGroup } from '@longwire/client/group';
import { createPool } from '@longwire/client/pool';
import { bearer, cache } from '@longwire/client/middleware';
import { createFaultyProxy, type FaultyProxy } from '@longwire/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  startPrincipalServer,
  TOOLS,
  type PrincipalServer,
} from '../../client/test/identity/principal-server.ts';
import { createAgent, type Agent, type AgentEvent } from '../src/index.ts';
import { startRecordingProxy } from './support/recording-proxy.ts';
import { ofType } from './support/setup.ts';

/** How many histories there are. */
const HISTORIES = 12;
const USERS = ['alice', 'bob', 'carol'] as const;
const SERVERS = ['A', 'B'] as const;

const user = new AsyncLocalStorage<string>();
const who = (): string => user.getStore() ?? 'nobody';

type Step =
  /** A person says something, and Claude calls these tools of these servers, all at once. */
  | { do: 'turn'; by: number; calls: { server: number; tool: number }[] }
  | { do: 'settle' }
  | { do: 'outage'; server: number; ms: number }
  | { do: 'cut'; server: number }
  | { do: 'lose-session'; server: number };

const server = fc.nat(SERVERS.length - 1);
const tool = fc.nat(TOOLS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('turn' as const),
      by: fc.nat(USERS.length - 1),
      calls: fc.array(fc.record({ server, tool }), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('outage' as const),
      server,
      ms: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), server }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose-session' as const), server }) },
);

const histories = fc.record({
  /** What the agents of all people share. */
  holder: fc.constantFrom('clients', 'pools', 'group'),
  path: fc.constantFrom('/mcp', '/sse'),
  way: fc.constantFrom('headers-function', 'bearer-function', 'own-middleware'),
  cached: fc.boolean(),
  /** The turn is asked for by the person, and read by the program, as a server's answer is. */
  readByProgram: fc.boolean(),
  asked: fc.boolean(),
  steps: fc.array(step, { minLength: 3, maxLength: 12 }),
});
type History = typeof histories extends fc.Arbitrary<infer T> ? T : never;

const claiming: Middleware = (request, next) => {
  if (!request.internal) request.params = { ...request.params, _meta: { traceparent: who() } };
  return next();
};

const own: Middleware = async (request, next) => {
  await delay(0);
  request.headers['authorization'] = `Bearer ${who()}`;
  return next();
};

function clientOptions({ way, cached }: History): ClientOptions {
  const token = async (): Promise<string> => {
    await delay(0);
    return who();
  };
  const middleware: Middleware[] = [claiming];
  if (way === 'bearer-function') middleware.push(bearer(token));
  if (way === 'own-middleware') middleware.push(own);
  if (cached) middleware.push(cache({ ttlMs: 60_000, tools: { '*': true }, key: who }));
  return {
    retry: { maxAttempts: 20, firstDelayMs: 1, maxDelayMs: 10, firstConnect: true },
    middleware,
    ...(way === 'headers-function' && {
      headers: async () => ({ authorization: `Bearer ${await token()}` }),
    }),
  };
}

interface Sources {
  clients: ToolSource[];
  close: () => Promise<unknown>;
}

function makeSources(history: History, urls: readonly string[]): Sources {
  const options = clientOptions(history);
  const targets = urls.map((target, index) => ({ name: SERVERS[index] ?? '', target }));
  if (history.holder === 'group') {
    const group = createGroup(targets, { shared: options });
    return { clients: [group], close: () => group.close() };
  }
  const clients = targets.map(({ name, target }) =>
    history.holder === 'pools'
      ? createPool(target, { ...options, name, size: 2 })
      : createClient(target, { ...options, name }),
  );
  return { clients, close: () => Promise.all(clients.map((client) => client.close())) };
}

/** A model that calls the tools which the last text names, and ends when it has the results. */
async function startModel(): Promise<{ mock: LLMock; url: string }> {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 64, logLevel: 'silent' });
  mock.on({ predicate: () => true }, ({ messages }) => {
    const last = messages.at(-1);
    if (last?.role !== 'user') return { content: 'Done.' };
    const text = typeof last.content === 'string' ? last.content : JSON.stringify(last.content);
    const [names = ''] = /(?<=: )[\w ]+/.exec(text) ?? [];
    const toolCalls = names.split(' ').map((name) => ({ name, arguments: '{}' }));
    return { content: '', toolCalls };
  });
  await mock.start();
  return { mock, url: mock.url };
}

/** How much was compared, so that nothing passes because nothing happened. */
const seen = { results: 0, requests: 0, questions: 0, conversations: 0 };

function compareResult(event: AgentEvent & { type: 'tool-result' }, by: string): void {
  if (event.isError) return;
  seen.results++;
  // A group gives its tools the names that it has made for them.
  const name = event.tool.includes('__') ? event.tool.split('__')[0] : event.server;
  const { content } = event.result as { content: { text: string }[] };
  expect(content[0]?.text).toBe(`${name} Bearer ${by}`);
}

async function live(history: History, apiUrl: string): Promise<void> {
  const servers: PrincipalServer[] = [];
  const proxies: FaultyProxy[] = [];
  for (const name of SERVERS) {
    const started = await startPrincipalServer(name);
    servers.push(started);
    proxies.push(await createFaultyProxy({ target: started.origin }));
  }
  const api = await startRecordingProxy(apiUrl);
  const urls = proxies.map(({ origin }) => `${origin}${history.path}`);
  const sources = user.run('service', () => makeSources(history, urls));
  const agentOf = (by: string): Agent =>
    user.run('service', () =>
      createAgent({
        clients: sources.clients,
        anthropic: new Anthropic({ baseURL: api.url, apiKey: `key of ${by}`, maxRetries: 2 }),
        model: 'claude-test',
        ...(history.asked && {
          approve: {
            ask: 'always' as const,
            hook: async () => {
              await delay(0);
              seen.questions++;
              expect(who()).toBe(by);
              return true;
            },
          },
        }),
      }),
    );
  const agents = USERS.map(agentOf);
  // One person says one thing after the other.
  const turns: Promise<void>[] = USERS.map(() => Promise.resolve());

  async function turn(by: string, agent: Agent, calls: string[]): Promise<void> {
    const read = async (events: AsyncIterable<AgentEvent>): Promise<void> => {
      const all: AgentEvent[] = [];
      for await (const event of events) all.push(event);
      for (const event of ofType(all, 'tool-result')) compareResult(event, by);
    };
    const send = (): AsyncIterable<AgentEvent> => agent.send(`${by}: ${calls.join(' ')}`);
    if (history.readByProgram) await read(user.run(by, send));
    else await user.run(by, () => read(send()));
  }

  try {
    for (const one of history.steps) {
      switch (one.do) {
        case 'turn': {
          const by = USERS[one.by] ?? 'alice';
          const agent = agents[one.by];
          if (agent === undefined) throw new Error('no such agent');
          const calls = one.calls.map((call) => `${SERVERS[call.server]}__${TOOLS[call.tool]}`);
          const before = turns[one.by];
          const next = (async () => {
            await before;
            await turn(by, agent, calls);
          })();
          // Its failure is seen where all are waited for.
          next.catch(() => {});
          turns[one.by] = next;
          break;
        }
        case 'settle':
          await Promise.all(turns);
          break;
        case 'outage': {
          const proxy = proxies[one.server];
          proxy?.refuse();
          proxy?.cutAll();
          void delay(one.ms).then(() => proxy?.resume());
          break;
        }
        case 'cut':
          proxies[one.server]?.cutAll();
          break;
        case 'lose-session':
          servers[one.server]?.dropSessions();
          break;
      }
      await delay(0);
    }
    await Promise.all(turns);
    for (const { calls } of servers) {
      for (const { principal, claim } of calls) {
        seen.requests++;
        expect(USERS).toContain(claim);
        expect(principal).toBe(`Bearer ${String(claim)}`);
      }
    }
    for (const { headers, text } of api.requests) {
      seen.conversations++;
      const by = String(headers.authorization).replace('Bearer key of ', '');
      expect(USERS).toContain(by);
      for (const other of USERS) if (other !== by) expect(text).not.toContain(other);
    }
  } finally {
    await Promise.allSettled(turns);
    for (const agent of agents) agent.close();
    await sources.close();
    await delay(25);
    await api.close();
    for (const proxy of proxies) await proxy.close();
    for (const started of servers) await started.close();
  }
}

test('many people talk to Claude over the same sources, and nothing of one reaches another', async () => {
  const seed = Number(process.env['IDENTITY_SEED'] ?? Date.now() % 2 ** 31);
  console.log(`identity of agents: IDENTITY_SEED=${seed}`);
  const { mock, url } = await startModel();
  try {
    const results = await fc.check(
      fc.asyncProperty(histories, (history) => live(history, url)),
      {
        seed,
        numRuns: HISTORIES,
      },
    );
    const message = `${fc.defaultReportMessage(results)}\n${String(results.errorInstance)}`;
    expect(results.failed, message).toBe(false);
    console.log(`identity of agents: ${results.numRuns} histories, ${JSON.stringify(seen)}`);
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  } finally {
    await mock.stop();
  }
}, 120_000);
