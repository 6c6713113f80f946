import type { RecordedLine } from '@longwire/recording';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NodeTeller } from '../../src/dash/node-teller.ts';
import type { PageMessage } from '../../src/dash/page-messages.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const EXCERPT = { server: { name: 'a' }, calls: [], events: [] };
const line = (at: number): RecordedLine => ({ type: 'gap', at, count: 1 });

function following(answer: () => Promise<boolean> = async () => true) {
  const sent: PageMessage[] = [];
  let over = 0;
  const teller = new NodeTeller({
    node: 'b',
    look: 'v',
    excerpt: () => EXCERPT,
    over: () => over++,
    send: (_to, message) => {
      sent.push(message);
      return answer();
    },
  });
  return { teller, sent, over: () => over };
}

it('tells all at first, then lines in batches, and nothing where nothing happens', async () => {
  const { teller, sent } = following();
  expect(sent).toEqual([{ kind: 'picture', look: 'v', number: 1, excerpt: EXCERPT, missed: 0 }]);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(sent).toHaveLength(1);
  teller.add(line(1), 10);
  teller.add(line(2), 10);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent.slice(1)).toEqual([
    { kind: 'lines', look: 'v', number: 2, lines: [line(1), line(2)] },
  ]);
});

it('leaves out and counts what is too much, and tells all anew, not too often', async () => {
  const { teller, sent } = following();
  await vi.advanceTimersByTimeAsync(1_000);
  for (let at = 0; at < 10; at++) teller.add(line(at), 20_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(sent.slice(1)).toEqual([
    { kind: 'picture', look: 'v', number: 2, excerpt: EXCERPT, missed: 10 },
  ]);
  teller.add(line(10), 20_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent.at(-1)).toMatchObject({ kind: 'lines', lines: [line(10)] });
});

it('waits for one message before it sends the next', async () => {
  let arrive: (isThere: boolean) => void = () => {};
  const { teller, sent } = following(() => new Promise((resolve) => (arrive = resolve)));
  teller.add(line(1), 10);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent).toHaveLength(1);
  arrive(true);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent).toHaveLength(2);
});

it('tells all anew after what could not be sent', async () => {
  let isAway = false;
  const { teller, sent } = following(async () => {
    if (isAway) throw new Error('away');
    return true;
  });
  await vi.advanceTimersByTimeAsync(1_000);
  isAway = true;
  teller.add(line(1), 10);
  await vi.advanceTimersByTimeAsync(1_000);
  isAway = false;
  await vi.advanceTimersByTimeAsync(4_000);
  expect(sent.at(-1)).toMatchObject({ kind: 'picture', missed: 1 });
  teller.renew(true);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(sent.filter(({ kind }) => kind === 'picture')).toHaveLength(3);
});

it('is over once that node is gone, or says no more that somebody looks', async () => {
  const gone = following(async () => false);
  await vi.advanceTimersByTimeAsync(1);
  expect(gone.over()).toBe(1);
  const silent = following();
  await vi.advanceTimersByTimeAsync(15_000);
  silent.teller.renew(false);
  await vi.advanceTimersByTimeAsync(15_000);
  silent.teller.add(line(1), 10);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([silent.over(), silent.sent.length]).toEqual([0, 2]);
  await vi.advanceTimersByTimeAsync(25_000);
  silent.teller.add(line(2), 10);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([silent.over(), silent.sent.length]).toEqual([1, 2]);
});
