import { createRandom } from '@longwire/testing';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { isSafe, LEASE_MS, ModelNode, SESSION, Truth } from './model-node.ts';
import { tagOf } from '../../src/keys.ts';

const NODES = 3;
const REQUESTS = 12;

let server: Awaited<ReturnType<typeof startRedis>>;
let admin: Redis;
let mounts = 0;
beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});
afterEach(() => vi.restoreAllMocks());

const node = fc.nat(NODES - 1);
/** What happens: to clients, to nodes, to clocks, to what is under way. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ does: fc.constant('send' as const), id: fc.nat(REQUESTS - 1), node }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('expire' as const), node }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('stall' as const), node }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('goOn' as const), node }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('release' as const), node }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('late' as const), node }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('restart' as const), node }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('clock' as const),
      ms: fc.integer({ min: 0, max: 3 * LEASE_MS }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('day' as const),
      ms: fc.integer({ min: -10_000, max: 10_000 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 3, LEASE_MS / 4),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never;

const [now, today] = [performance.now.bind(performance), Date.now.bind(Date)];

/** The clocks of all nodes: they jump forward, and that of the day also back. */
function fakeClocks(): { monotonic: number; day: number } {
  const offsets = { monotonic: 0, day: 0 };
  vi.spyOn(performance, 'now').mockImplementation(() => now() + offsets.monotonic);
  vi.spyOn(Date, 'now').mockImplementation(() => today() + offsets.day);
  return offsets;
}

async function runs(steps: readonly Step[], seed: number): Promise<void> {
  const mount = `/model-${++mounts}`;
  const truth = new Truth();
  const clocks = fakeClocks();
  const random = createRandom(seed);
  const join = (): Promise<ModelNode> => ModelNode.join(server.url, { mount, random, truth });
  const nodes = await Promise.all(Array.from({ length: NODES }, join));
  const at = (index: number): ModelNode => nodes[index] as ModelNode;
  /** What was started by a step that has passed. */
  const underWay: Promise<unknown>[] = [];
  /** All that there ever was: nodes without clients stall, and come back in the end. */
  const all = [...nodes];
  const expire = (name: string): Promise<number> => admin.del(leaseOf(mount, name));
  await at(0).open();
  for (const { hostile } of nodes) hostile.isCalm = false;
  const failures: unknown[] = [];
  const begin = (act: Promise<unknown>): void => {
    underWay.push(act.catch((error: unknown) => failures.push(error)));
  };
  for (const one of steps) {
    switch (one.does) {
      case 'send':
        begin(at(one.node).serve(one.id, all));
        break;
      case 'expire':
        await expire(at(one.node).name);
        break;
      case 'stall':
        at(one.node).hostile.stall();
        await expire(at(one.node).name);
        clocks.monotonic += LEASE_MS;
        break;
      case 'goOn':
        at(one.node).hostile.goOn();
        break;
      case 'release':
        begin(
          at(one.node)
            .release()
            .catch(() => {}),
        );
        break;
      case 'late':
        await Promise.all(
          at(one.node)
            .hostile.late.splice(0)
            .map((send) => send().catch(() => {})),
        );
        break;
      case 'restart': {
        // What it had under way is sent when everything is over: nobody must believe it.
        const old = at(one.node);
        old.hostile.stall();
        await expire(old.name);
        nodes[one.node] = await join();
        all.push(at(one.node));
        at(one.node).hostile.isCalm = false;
        break;
      }
      case 'clock':
        clocks.monotonic += one.ms;
        break;
      case 'day':
        clocks.day += one.ms;
        break;
      case 'wait':
        await new Promise((resolve) => setTimeout(resolve, one.ms));
        break;
    }
  }
  for (const { hostile } of all) {
    hostile.isCalm = true;
    hostile.goOn();
  }
  await Promise.all(underWay);
  for (const { hostile } of all) {
    await Promise.all(hostile.late.splice(0).map((send) => send().catch(() => {})));
  }
  // Each client sends its request until it is answered, and once more: its answer is known.
  for (let id = 0; id < REQUESTS; id++) {
    for (let tries = 0, served = ''; served !== 'done'; tries++) {
      if (tries > 200) throw new Error(`request ${id} is never answered`);
      served = await at(tries % NODES).serve(id, all);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  await check(mount, truth, failures);
  expect(all.filter(({ isOwner }) => isOwner).length).toBeGreaterThan(0);
  await Promise.all(all.map((one) => one.leave()));
}

async function check(mount: string, truth: Truth, failures: readonly unknown[]): Promise<void> {
  expect(failures).toEqual([]);
  // No two owners had the same number.
  expect(truth.fences).toEqual([...new Set(truth.fences)]);
  const tag = tagOf(SESSION);
  const [session, log] = await Promise.all([
    admin.hgetall(`longwire:${mount.slice(1)}:s:{${tag}}`),
    admin.hgetall(`longwire:${mount.slice(1)}:l:{${tag}}`),
  ]);
  const kept = Object.entries(log).filter(([place]) => place !== 'd');
  // Places are without gaps, and the last one is known.
  const places = kept.map(([place]) => Number(place)).toSorted((a, b) => a - b);
  expect(places).toEqual(Array.from({ length: places.length }, (_, index) => index + 1));
  expect(Number(session['q'])).toBe(places.length);
  const answers = new Map<number, string[]>();
  for (const [, text] of kept) {
    const data = text.slice(text.indexOf('\n') + 1);
    const { id } = JSON.parse(data) as { id: number };
    answers.set(id, [...(answers.get(id) ?? []), data]);
  }
  for (let id = 0; id < REQUESTS; id++) {
    const run = truth.runs.get(id) ?? 0;
    const [only, ...more] = answers.get(id) ?? [];
    // It ran once at most unless it is safe, it was answered once, every client was told that, and what ran says so.
    expect({ id, run, more, told: [...(truth.told.get(id) ?? [])] }).toEqual({
      id,
      run: isSafe(id) ? Math.max(run, 1) : Math.min(run, 1),
      more: [],
      told: [only],
    });
    if (only?.includes('ran') === true) expect(run).toBeGreaterThan(0);
  }
}

function leaseOf(mount: string, name: string): string {
  return `longwire:${mount.slice(1)}:lease:{${name}}`;
}

it(
  'gives a session one owner at a time, and each request one run and one answer, whatever is lost, late or repeated',
  { timeout: 600_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
        fc.nat(2 ** 31),
        runs,
      ),
      { numRuns: Number(process.env['MODEL_RUNS'] ?? 60), endOnFailure: true },
    );
  },
);
