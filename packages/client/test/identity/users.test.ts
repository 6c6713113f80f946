import type { CallToolResult } from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClient, LongwireError, type PrincipalCredentials } from '../../src/index.ts';
import { cache, tokenRefresh } from '../../src/middleware/index.ts';
import { startUsersServer, type UsersServer } from './users-server.ts';

/** How many histories there are of one way. */
const HISTORIES = 25;
const USERS = ['ann', 'bob', 'cat'];

type Step =
  | { do: 'call' | 'list' | 'abort' | 'renew' | 'refuse' | 'close' | 'listen'; by: number }
  | { do: 'settle' | 'drop-sessions' | 'service' };

const by = fc.nat(USERS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), by }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('list', 'abort', 'renew', 'refuse', 'close', 'listen'),
      by,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('settle', 'drop-sessions', 'service') }),
  },
);

interface Setting {
  maxSessions: number;
  idleMs: number;
  /** How a user shows who it is. */
  way: 'token' | 'token-function' | 'headers' | 'token-refresh';
  cached: boolean;
}

const setting: fc.Arbitrary<Setting> = fc.record({
  maxSessions: fc.integer({ min: 1, max: 3 }),
  idleMs: fc.constantFrom(0, 1, Infinity),
  way: fc.constantFrom('token', 'token-function', 'headers', 'token-refresh'),
  cached: fc.boolean(),
});

const said = ({ content: [first] }: CallToolResult): unknown =>
  first?.type === 'text' ? first.text : first;

describe.each(['/mcp', '/sse', '/modern'])('the users of one client at %s', (path) => {
  it('get and send nothing of each other, whatever happens', async () => {
    await using server = await startUsersServer();
    await fc.assert(
      fc.asyncProperty(setting, fc.array(step, { minLength: 5, maxLength: 40 }), (how, steps) =>
        live(server, server.origin + path, how, steps),
      ),
      { numRuns: HISTORIES },
    );
  });
});

async function live(
  server: UsersServer,
  url: string,
  how: Setting,
  steps: readonly Step[],
): Promise<void> {
  const { maxSessions, idleMs, way, cached } = how;
  const renewals = new Map<string, number>();
  const tokenOf = (user: string): string => `${user}.${renewals.get(user) ?? 0}`;
  const client = createClient(url, {
    ...(way !== 'token-refresh' && { headers: { authorization: 'Bearer service' } }),
    principals: { maxSessions, idleMs },
    timeouts: { callMs: 5000 },
    retry: { firstDelayMs: 1 },
    middleware: [
      ...(way === 'token-refresh'
        ? [tokenRefresh({ provider: ({ principal }) => tokenOf(principal ?? 'service') })]
        : []),
      ...(cached ? [cache({ tools: { who: true }, key: () => 'the same for all' })] : []),
    ],
  });
  const credentialsOf = (user: string): PrincipalCredentials | undefined => {
    if (way === 'token') return { token: tokenOf(user) };
    if (way === 'token-function') return { token: () => tokenOf(user) };
    if (way === 'headers') return { headers: { authorization: `Bearer ${tokenOf(user)}` } };
    return undefined;
  };
  const wrong: string[] = [];
  const stops: (() => void)[] = [];
  let running: Promise<void>[] = [];
  const own = (user: string, what: Promise<unknown>): void => {
    running.push(
      what.then(
        (found) => {
          if (found !== user) wrong.push(`${user} got ${String(found)}`);
        },
        (error: unknown) => {
          if (!(error instanceof LongwireError)) wrong.push(`${user}: ${String(error)}`);
        },
      ),
    );
  };
  const whoIs = (user: string, signal?: AbortSignal): Promise<unknown> =>
    client
      .callTool(
        'who',
        {},
        { ...(signal && { signal }), principal: { id: user, ...credentialsOf(user) } },
      )
      .then(said);
  try {
    for (const one of steps) {
      const user = 'by' in one ? (USERS[one.by] ?? '') : 'service';
      switch (one.do) {
        case 'call':
          own(user, whoIs(user));
          break;
        case 'abort':
          own(user, whoIs(user, AbortSignal.timeout(3)));
          break;
        case 'service':
          own('service', client.callTool('who').then(said));
          break;
        case 'list':
          own(
            user,
            client
              .as(user, credentialsOf(user))
              .listTools()
              .then((tools) => tools.find(({ name }) => name !== 'who')?.name.slice(3)),
          );
          break;
        case 'renew':
          renewals.set(user, (renewals.get(user) ?? 0) + 1);
          break;
        case 'refuse':
          server.refused.add(user);
          break;
        case 'listen':
          stops.push(
            client.as(user, credentialsOf(user)).on('log', ({ data }) => {
              if (data !== user) wrong.push(`${user} heard ${String(data)}`);
            }),
          );
          break;
        case 'close':
          running.push(client.as(user).close());
          break;
        case 'drop-sessions':
          server.dropSessions();
          break;
        case 'settle':
          await Promise.all(running);
          running = [];
      }
      for (const stop of stops.splice(0, stops.length - 1)) stop();
    }
    for (const stop of stops) stop();
    await Promise.all(running);
  } finally {
    await client.close();
  }
  expect([...wrong, ...server.crossed.splice(0)]).toEqual([]);
}
