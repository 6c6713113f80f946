import { describe, expect, it } from 'vitest';
import type { Picture } from '@longwire/recording';
import { causesOf } from '../../src/timeline/causes.ts';
import { itemAt, itemsInOrder, keyOfItem, timeOf } from '../../src/timeline/items.ts';
import { textOfItem } from '../../src/timeline/item-text.ts';
import { nextItem } from '../../src/timeline/keys.ts';
import { Lanes } from '../../src/timeline/lanes.ts';
import { layoutOf, type Layout, type LayoutOptions } from '../../src/timeline/layout.ts';
import { answered, called, lines, pictureOf } from './support.ts';

const scale = { from: 0, to: 1000, left: 100, width: 1000 };

function layOut(picture: Picture, more: Partial<LayoutOptions> = {}): Layout {
  const lanes = new Lanes();
  lanes.update(picture);
  return layoutOf({
    servers: picture.servers.values(),
    laneOf: (server) => lanes.lane(server),
    scale,
    now: 900,
    keptFrom: 0,
    fits: () => true,
    nameHeight: 0,
    before: undefined,
    ...more,
  });
}

const lost = { code: 'connection-lost', message: 'reset' };
const story = (): Picture =>
  pictureOf(
    lines('docs', { type: 'state', at: 50, state: 'ready' }),
    called(1, 100),
    called(2, 150),
    lines(
      'docs',
      { type: 'state', at: 200, state: 'reconnecting', reason: lost },
      {
        type: 'end',
        at: 200,
        call: 2,
        outcome: 'error',
        durationMs: 50,
        error: { ...lost, certainty: 'outcome-unknown' },
      },
      { type: 'state', at: 300, state: 'ready' },
      { type: 'attempt', at: 301, call: 1, attempt: 2 },
    ),
    answered(1, 400),
    called(3, 350, { by: { call: 1 } }),
  );

it('lays out a lane: its states, and its calls below in rows', () => {
  const [lane] = layOut(story()).lanes;
  expect(lane!.states.map(({ x, width }) => [x, width])).toEqual([
    [150, 150],
    [300, 100],
    [400, 600],
  ]);
  expect(lane!.spans.map(({ x, width }) => [x, width])).toEqual([
    [200, 300],
    [250, 50],
    [450, 550],
  ]);
  expect(new Set(lane!.spans.map(({ y }) => y)).size).toBe(2);
  const bottom = lane!.top + lane!.height;
  for (const { y, height } of [...lane!.states, ...lane!.spans]) {
    expect([y >= lane!.top, y + height <= bottom]).toEqual([true, true]);
  }
});

it('lays out authorizations below the states', () => {
  const picture = story();
  const error = { code: 'error', message: 'denied' };
  for (const line of lines(
    'docs',
    { type: 'authorization', at: 120, status: 401, durationMs: 40, decision: 'retry' },
    { type: 'authorization', at: 800, status: 403, durationMs: 0, decision: 'fail', error },
  )) {
    picture.apply(line);
  }
  const layout = layOut(picture);
  const [lane] = layout.lanes;
  expect(lane!.authorizations.map(({ x, width }) => [x, width])).toEqual([
    [180, 40],
    [900, 3],
  ]);
  const { y, height } = lane!.authorizations[0]!;
  expect(y).toBeGreaterThanOrEqual(lane!.states[0]!.y + lane!.states[0]!.height);
  expect(y + height).toBeLessThan(lane!.spans[0]!.y);
  const found = itemAt(layout, 190, y + 3);
  expect(found && textOfItem(found.item, 900)).toMatch(/^authorized, docs, after 401, 40 ms, /);
  expect(itemsInOrder(layout).map(({ item }) => textOfItem(item, 900))).toContainEqual(
    expect.stringMatching(/^not authorized, docs, after 403, 0 ms, error: denied, /),
  );
});

it('draws what caused what', () => {
  const kinds = causesOf(layOut(story())).map(({ kind, to }) => [kind, to.x]);
  expect(kinds).toEqual([
    ['lost', 300],
    ['again', 401],
    ['not-again', 300],
    ['called', 450],
  ]);
  expect(causesOf(layOut(story(), { fits: () => false }))).toEqual([]);
});

it('a lane becomes lower only by and by', () => {
  const three = layOut(pictureOf(called(1, 10), called(2, 20), called(3, 30)));
  const one = pictureOf(called(1, 10));
  const after = layOut(one, { before: three });
  expect([three, after].map(({ lanes }) => lanes[0]!.rowCount)).toEqual([3, 2]);
  expect(layOut(one, { before: after }).lanes[0]!.rowCount).toBe(2);
});

describe('more calls than can be seen', () => {
  const many = (): Picture =>
    pictureOf(
      called(9999, 0),
      ...Array.from({ length: 400 }, (_, index) => [
        ...called(index + 1, index * 2),
        ...answered(index + 1, index * 2 + 1),
      ]),
      lines('docs', {
        type: 'end',
        at: 801,
        call: 9999,
        outcome: 'tool-error',
        durationMs: 801,
      }),
    );

  it('are counted, and the long ones drawn', () => {
    const [lane] = layOut(many()).lanes;
    expect(lane!.spans.map(({ span }) => span.calls[0]!.call)).toEqual([9999]);
    expect(lane!.bins.reduce((sum, { bin }) => sum + bin.calls, 0)).toBe(401);
    expect(lane!.bins.reduce((sum, { bin }) => sum + bin.errors, 0)).toBe(1);
    expect(Math.max(...lane!.bins.map(({ height }) => height))).toBeLessThan(lane!.spans[0]!.y);
    expect(lane!.most).toBe(Math.max(...lane!.bins.map(({ bin }) => bin.calls)));
  });

  it('stay counts of seconds when they are kept no more', () => {
    const wide = { ...scale, from: -299_000, to: 1000 };
    const [lane] = layOut(many(), { scale: wide }).lanes;
    expect(lane!.bins.map(({ bin }) => [bin.from, bin.to, bin.calls])).toEqual([[0, 2000, 401]]);
    const [older] = layOut(pictureOf(called(1, 100), answered(1, 300)), { keptFrom: 1400 }).lanes;
    expect(older!.bins.map(({ bin }) => [bin.from, bin.calls])).toEqual([[0, 1]]);
  });
});

describe('what can be pointed at', () => {
  it('is found by its place, also a little beside it', () => {
    const layout = layOut(story());
    const [first, second] = layout.lanes[0]!.spans;
    const at = (x: number, y: number): string | undefined => {
      const found = itemAt(layout, x, y);
      return found && keyOfItem(found.item);
    };
    expect(at(first!.x - 3, first!.y + 5)).toBe('call-1');
    expect(at(first!.x - 9, first!.y + 5)).toBeUndefined();
    expect(at(second!.x + 10, second!.y + 5)).toBe('call-2');
    expect(at(350, layout.lanes[0]!.states[1]!.y + 2)).toContain('reconnecting');
    expect(at(350, layout.height + 5)).toBeUndefined();
  });

  it('is gone through in the order of time, without what does not fit the filter', () => {
    const layout = layOut(story(), { fits: ({ call }) => call !== 2 });
    const items = itemsInOrder(layout);
    expect(items.map(({ item }) => timeOf(item))).toEqual([50, 100, 200, 300, 350]);
    const last = nextItem(items, undefined, 1);
    expect(last).toBe(items[4]!.item);
    expect(nextItem(items, last, 1)).toBeUndefined();
    expect(nextItem(items, last, -1)).toBe(items[3]!.item);
    const gone = {
      kind: 'bin',
      server: 'docs',
      bin: { from: 150, to: 160, calls: 1, errors: 0 },
    } as const;
    expect([nextItem(items, gone, 1), nextItem(items, gone, -1)]).toEqual([
      items[2]!.item,
      items[1]!.item,
    ]);
  });

  it('is told in words, whatever its server says', () => {
    const items = itemsInOrder(layOut(story()));
    const texts = items.map(({ item }) => textOfItem(item, 900));
    expect(texts[1]).toMatch(/^search, docs, result, 300 ms, sent 2 times, /);
    expect(texts[2]).toMatch(/^search, docs, connection-lost, outcome-unknown, 50 ms, /);
    expect(texts.at(-1)).toMatch(/^search, docs, in flight, 550 ms, because of call 1, /);
    expect(texts[3]).toMatch(/^reconnecting, docs, for 100 ms, connection-lost: reset, /);
    const odd = pictureOf(called(1, 1, { name: 'a\u202eb\n\u0007' }));
    expect(textOfItem(itemsInOrder(layOut(odd))[0]!.item, 900)).toContain('a⟨U+202E⟩b ⟨U+0007⟩');
  });
});
