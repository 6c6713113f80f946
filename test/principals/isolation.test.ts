import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createClient, type ClientOptions, type LongwireClient } from '@longwire/client';
import { createGroup } from '@longwire/client/group';
import { cache, tokenRefresh } from '@longwire/client/middleware';
import { createFaultyProxy } from '@longwire/testing';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startUserServer, tokenOf } from './user-server.ts';

expectNothingLeftOpen();

/** How long the histories may take together; more of them are run where the machine is faster. */
const TIME_MS = 15_000;
const USERS = ['alice', 'bob', 'carol'];

const TRANSPORTS: [path: string, options: ClientOptions][] = [
  ['/sse', {}],
  ['/mcp', { protocol: '2025-11-25' }],
  ['/mcp', { protocol: '2026-07-28' }],
];

const step = fc.record({
  user: fc.constantFrom(...USERS),
  do: fc.constantFrom(
    'who',
    'own',
    'note',
    'steps',
    'list',
    'read',
    'listen',
    'expire',
    'cut',
    'idle',
    'settle',
  ),
});

const histories = fc.record({
  transport: fc.nat(TRANSPORTS.length - 1),
  holder: fc.constantFrom('view', 'option', 'group'),
  way: fc.constantFrom('token', 'function', 'refresh'),
  isCached: fc.boolean(),
  maxSessions: fc.constantFrom(1, 2, 1000),
  steps: fc.array(step, { minLength: 5, maxLength: 30 }),
});

/** Runs a history; gives what a user got that names another, and how much there was to see. */
async function run(history: typeof histories extends fc.Arbitrary<infer T> ? T : never): Promise<{
  crossed: string[];
  results: number;
}> {
  const server = await startUserServer();
  const proxy = await createFaultyProxy({ target: server.origin });
  const [path, options] = TRANSPORTS[history.transport] as (typeof TRANSPORTS)[number];
  const crossed: string[] = [];
  const numbers = new Map(USERS.map((user) => [user, 1]));
  let results = 0;
  const refresh = tokenRefresh({
    provider: ({ principal = 'nobody' }) => tokenOf(principal, numbers.get(principal)),
  });
  const shared: ClientOptions = {
    ...options,
    retry: { firstDelayMs: 1, maxDelayMs: 5 },
    timeouts: { callMs: 400 },
    principals: { maxSessions: history.maxSessions, idleMs: 20 },
    middleware: [
      ...(history.way === 'refresh' ? [refresh] : []),
      ...(history.isCached ? [cache({ tools: { who: true, own: true, note: true } })] : []),
    ],
  };
  const url = `${proxy.origin}${path}`;
  const client = createClient(url, shared);
  const group = createGroup({ one: client }, { lazy: true });
  const credentialsOf = (user: string): object => {
    if (history.way === 'token') return { token: tokenOf(user, numbers.get(user)) };
    return history.way === 'function' ? { token: () => tokenOf(user, numbers.get(user)) } : {};
  };
  const as = (user: string): LongwireClient => client.as(user, credentialsOf(user));
  const see = (user: string, what: unknown): void => {
    results++;
    const text = JSON.stringify(what);
    for (const other of USERS) {
      if (other !== user && text.includes(other)) crossed.push(`${user} got ${text}`);
    }
  };
  const call = (user: string, tool: string): Promise<unknown> => {
    const onProgress = (progress: unknown): void => see(user, progress);
    if (history.holder === 'view') return as(user).callTool(tool, {}, { onProgress });
    const principal = { id: user, ...credentialsOf(user) };
    if (history.holder === 'option') return client.callTool(tool, {}, { principal, onProgress });
    return group.as(user, credentialsOf(user)).callTool(tool, {}, { onProgress });
  };
  const stops: (() => void)[] = [];
  const running: Promise<unknown>[] = [];
  const settle = (): Promise<unknown> => Promise.allSettled(running.splice(0));
  try {
    for (const { user, do: what } of history.steps) {
      if (what === 'settle') await settle();
      else if (what === 'idle') await new Promise((resolve) => setTimeout(resolve, 25));
      else if (what === 'cut') proxy.cutAll();
      else if (what === 'expire') {
        const next = (numbers.get(user) ?? 0) + 1;
        numbers.set(user, next);
        server.expire(user, next);
      } else if (what === 'listen') {
        stops.push(as(user).on('notification', (notification) => see(user, notification)));
      } else {
        const asked =
          what === 'list'
            ? as(user).listTools()
            : what === 'read'
              ? as(user).readResource('user://mine')
              : call(user, what);
        // What fails, by a cut or a token that expired, was seen by nobody.
        running.push(
          asked.then(
            (result) => see(user, result),
            () => {},
          ),
        );
      }
    }
    for (const stop of stops) stop();
    await settle();
  } finally {
    await group.close();
    await client.close();
    await proxy.close();
    await server.close();
  }
  return { crossed: [...crossed, ...server.crossed], results };
}

it('nothing of one principal is ever seen by another', async () => {
  let results = 0;
  let runs = 0;
  const property = fc.asyncProperty(histories, async (history) => {
    const seen = await run(history);
    runs++;
    results += seen.results;
    expect(seen.crossed).toEqual([]);
  });
  await fc.assert(property, {
    numRuns: 1000,
    interruptAfterTimeLimit: TIME_MS,
    endOnFailure: true,
  });
  console.log(`principals: ${runs} histories, ${results} results`);
  expect(results).toBeGreaterThan(50);
});
