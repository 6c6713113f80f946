import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionLostError, HttpStatusError, LongwireError } from '../../src/errors.ts';
import { Checks } from './scripted/checks.ts';
import { pass, Program, settle, type Kind } from './scripted/program.ts';
import { ScriptedServer, type Post } from './scripted/server.ts';

const scripted = vi.hoisted(() => ({ server: undefined as ScriptedServer | undefined }));
vi.mock('../../src/dial/dial.ts', () => ({
  dial: (options: never) => scripted.server?.dial(options),
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const of = <T extends string>(...types: T[]): fc.Arbitrary<T> => fc.constantFrom(...types);
const nth = fc.nat(4);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: of('call'),
      kind: of<Kind>('tool', 'idempotent', 'read', 'subscribe', 'list', 'transport'),
      dueMs: fc.constantFrom(500, 1e6, 1e6),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: of('dial'),
      as: of('new', 'new', 'goes-on', 'goes-on', 'away', 'busy', 'elsewhere', 'forbidden'),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      type: of('post'),
      nth,
      as: of(
        'leaves',
        'accepted',
        'accepted',
        'session-lost',
        'session-drains',
        'busy',
        'bad',
        'broken',
        'unsent',
        'crash',
      ),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      type: of('answer'),
      nth,
      as: of('right', 'right', 'right', 'string', 'guess', 'repeated', 'unreadable', 'stolen'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: of('drain'),
      kind: of<Kind>('idempotent', 'list', 'transport'),
      dueMs: fc.constantFrom(500, 1e6),
      isFollowed: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: of('drained'),
      nth,
      as: of(
        'right',
        'right',
        'right',
        'string',
        'repeated',
        'unreadable',
        'stolen',
        'asks',
        'breaks',
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: of('end'),
      code: of('lost', 'lost', 'lost', 'protocol'),
      isResumable: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: of('pass'), ms: fc.constantFrom(10, 50, 200, 4500) }) },
  { weight: 2, arbitrary: fc.record({ type: of('ask', 'program-answers', 'cancel'), nth }) },
);
const histories = fc.array(step, { maxLength: 40, size: 'max' });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const status = (code: number, certainty: 'refused' | 'outcome-unknown', retryAfterMs?: number) =>
  new HttpStatusError(`${code}`, { status: code, excerpt: '', certainty, retryAfterMs });
const lost = (certainty: 'not-sent' | 'refused' | 'outcome-unknown') =>
  new ConnectionLostError('lost', { certainty });

/** One history: the steps, and then a server that does everything right, unless it is cut short. */
async function live(history: Step[], isCutShort: boolean): Promise<void> {
  vi.clearAllTimers();
  const server = (scripted.server = new ScriptedServer());
  const program = new Program();
  const checks = new Checks(server, program);
  await program.start(server);
  await program.finish();
  for (const one of history) {
    await take(one, server, program, checks);
    await settle();
    checks.look();
  }
  for (let round = 0; !isCutShort && round < 60 && program.open.length > 0; round++) {
    server.accept(false);
    await settle();
    for (const post of server.channel?.posts.slice() ?? []) post.accept();
    await settle();
    for (let more = 0; more < 20; more++) {
      checks.answer('right', 0);
      for (const channel of server.draining) checks.answerOn(channel, 'right', 0);
      await settle();
    }
    await pass(500);
    checks.look();
  }
  if (!isCutShort) expect(program.open).toEqual([]);
  const closed = program.connection.close();
  await pass(2000);
  await closed;
  checks.end();
}

async function take(
  one: Step,
  server: ScriptedServer,
  program: Program,
  checks: Checks,
): Promise<void> {
  switch (one.type) {
    case 'call':
      program.call(one.kind, one.dueMs);
      break;
    case 'dial':
      if (one.as === 'new' || one.as === 'goes-on') server.accept(one.as === 'goes-on');
      else if (one.as === 'away') server.refuse('connect-failed');
      else if (one.as === 'busy') server.refuse('http-status', 300);
      else server.refuse(one.as === 'elsewhere' ? 'not-mcp' : 'forbidden');
      break;
    case 'post': {
      const posts = server.channels.flatMap((channel) => channel.posts);
      const post = posts[one.nth];
      if (post !== undefined) takePost(one.as, post, server);
      break;
    }
    case 'answer':
      checks.answer(one.as, one.nth);
      break;
    case 'drained': {
      const { draining } = server;
      const channel = draining[one.nth % Math.max(1, draining.length)];
      if (channel === undefined) break;
      if (one.as === 'asks') channel.ask();
      else if (one.as === 'breaks') channel.break();
      else checks.answerOn(channel, one.as, one.nth);
      break;
    }
    case 'drain': {
      const { channel } = server;
      if (channel === undefined) break;
      program.call(one.kind, one.dueMs);
      program.call('tool', 1e6);
      await settle();
      for (const post of channel.posts.slice()) post.accept();
      channel.end(lost('refused'), false, true);
      if (!one.isFollowed) break;
      await pass(200);
      server.accept(false);
      break;
    }
    case 'end':
      server.channel?.end(
        one.code === 'lost'
          ? lost('outcome-unknown')
          : new LongwireError('broken', { code: 'protocol', certainty: 'outcome-unknown' }),
        one.isResumable,
      );
      break;
    case 'pass':
      await pass(one.ms);
      break;
    case 'ask':
      server.channel?.ask();
      break;
    case 'program-answers':
      program.answer(one.nth);
      break;
    case 'cancel': {
      const call = program.open[one.nth];
      if (call !== undefined) program.cancel(call);
      break;
    }
  }
}

function takePost(as: string, post: Post, server: ScriptedServer): void {
  const { isOnWire } = post;
  switch (as) {
    case 'leaves':
      post.leave();
      break;
    case 'accepted':
      post.accept();
      break;
    case 'session-lost':
    case 'session-drains':
      post.fail(lost('refused'));
      server.channel?.end(lost('refused'), false, as === 'session-drains');
      break;
    case 'busy':
      post.fail(status(503, 'refused', 300));
      break;
    case 'bad':
      post.fail(status(400, 'refused'));
      break;
    case 'crash':
      post.fail(status(500, 'outcome-unknown'));
      break;
    case 'broken':
      post.fail(lost('outcome-unknown'));
      break;
    case 'unsent':
      if (isOnWire) break;
      post.fail(new LongwireError('no', { code: 'connect-failed', certainty: 'not-sent' }));
      break;
  }
}

describe('any history of a connection and a server', () => {
  it('keeps what can be seen from outside (invariants 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14)', async () => {
    await fc.assert(fc.asyncProperty(histories, fc.boolean(), live), {
      numRuns: 300,
    });
  });
});
