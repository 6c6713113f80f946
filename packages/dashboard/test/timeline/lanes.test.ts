import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Picture } from '@longwire/recording';
import { Lanes, spansWithin } from '../../src/timeline/lanes.ts';
import { beginOf, endOf, isOpen, kindOf } from '../../src/timeline/spans.ts';
import { answered, called, lines, pictureOf } from './support.ts';

function lanesOf(picture: Picture): Lanes {
  const lanes = new Lanes();
  lanes.update(picture);
  return lanes;
}

/** The numbers of the calls in each span, row by row. */
function rowsOf(lanes: Lanes): number[][][] {
  return lanes
    .lane('docs')
    .rows.map((row) => row.map(({ calls }) => calls.map(({ call }) => call)));
}

it('puts calls into the first row that is free', () => {
  const picture = pictureOf(
    called(1, 10),
    called(2, 15),
    answered(1, 20),
    called(3, 20),
    answered(2, 30),
    called(4, 31),
  );
  expect(rowsOf(lanesOf(picture))).toEqual([
    [[1], [3]],
    [[2], [4]],
  ]);
});

it('never draws one call over another, and leaves each in its row', () => {
  const step = fc.record({ call: fc.nat({ max: 30 }), ms: fc.nat({ max: 20 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const picture = new Picture({ maxCalls: 20 });
      const lanes = new Lanes();
      const begun = new Set<number>();
      const rowOfCall = new Map<number, unknown>();
      let at = 0;
      let number = 0;
      const numbers = new Map<number, number>();
      for (const { call, ms } of steps) {
        at += ms;
        const known = numbers.get(call);
        const given = known ?? ++number;
        for (const line of known === undefined ? called(given, at) : answered(given, at)) {
          picture.apply(line);
        }
        if (known === undefined) numbers.set(call, given);
        else numbers.delete(call);
        begun.add(given);
        lanes.update(picture);
        for (const row of lanes.lane('docs').rows) {
          for (const [index, span] of row.entries()) {
            const first = span.calls[0]!.call;
            expect(rowOfCall.get(first) ?? row).toBe(row);
            rowOfCall.set(first, row);
            const next = row[index + 1];
            if (next !== undefined)
              expect(endOf(span, Infinity)).toBeLessThanOrEqual(beginOf(next));
          }
        }
      }
      const placed = rowsOf(lanes).flat(2);
      const kept = [...picture.ended.slice(-20), ...picture.inFlight].map(({ call }) => call);
      expect(kept.filter((call) => !placed.includes(call))).toEqual([]);
      expect(placed.length).toBeLessThanOrEqual(
        picture.ended.length + [...picture.inFlight].length,
      );
    }),
    { numRuns: 200 },
  );
});

it('begins again with another picture, and gives the row of a call that was begun twice free', () => {
  const picture = pictureOf(called(1, 10));
  const lanes = lanesOf(picture);
  for (const line of called(1, 50)) picture.apply(line);
  lanes.update(picture);
  expect(lanes.lane('docs').rows.map((row) => row.map(beginOf))).toEqual([[50]]);
  lanes.update(pictureOf(called(7, 10)));
  expect(rowsOf(lanes)).toEqual([[[7]]]);
});

describe('what is drawn as one', () => {
  const asks = { resultType: 'input_required', inputRequests: {} };

  it('are the rounds of a call that the server asked something for', () => {
    const picture = pictureOf(
      called(1, 10),
      answered(1, 20, asks),
      called(2, 21),
      answered(2, 30),
      called(3, 40, { by: { call: 1 } }),
    );
    const lanes = lanesOf(picture);
    const [rounds] = lanes.lane('docs').rows[0]!;
    expect(rowsOf(lanes)).toEqual([[[1, 3]], [[2]]]);
    expect([kindOf(rounds!), isOpen(rounds!)]).toEqual(['rounds', true]);
    for (const line of answered(3, 50)) picture.apply(line);
    expect([isOpen(rounds!), endOf(rounds!, 99)]).toEqual([false, 50]);
  });

  it('is a task with all that was asked of it', () => {
    const picture = pictureOf(
      called(1, 10),
      answered(1, 20, { task: { taskId: 't', status: 'working' } }),
    );
    const lanes = lanesOf(picture);
    const [task] = lanes.lane('docs').rows[0]!;
    expect([kindOf(task!), isOpen(task!)]).toEqual(['task', true]);
    const asked = { method: 'tasks/get', arguments: { taskId: 't' } };
    for (const line of [
      ...called(2, 30, asked),
      ...answered(2, 31, { taskId: 't', status: 'completed' }),
      ...called(3, 32, { ...asked, arguments: { taskId: 'other' } }),
    ]) {
      picture.apply(line);
    }
    lanes.update(picture);
    expect(rowsOf(lanes)).toEqual([[[1, 2], [3]]]);
    expect(isOpen(task!)).toBe(false);
  });

  it('is no other call that another one caused', () => {
    const picture = pictureOf(called(1, 10), called(2, 12, { by: { call: 1 } }));
    expect(rowsOf(lanesOf(picture))).toEqual([[[1]], [[2]]]);
  });
});

it('counts calls that find no row', () => {
  const many = Array.from({ length: 250 }, (_, index) => called(index + 1, index));
  const lanes = lanesOf(pictureOf(...many));
  expect([lanes.lane('docs').rows.length, lanes.unplaced]).toEqual([200, 50]);
});

it('finds the spans of a time', () => {
  const picture = pictureOf(
    ...[1, 2, 3, 4].flatMap((call) => [called(call, call * 10), answered(call, call * 10 + 5)]),
    lines('docs', { type: 'call', at: 60, call: 5, method: 'ping' }),
  );
  const [row] = lanesOf(picture).lane('docs').rows;
  const within = (from: number, to: number): number[] =>
    spansWithin(row!, { from, to }, 100).map(beginOf);
  expect(within(0, 100)).toEqual([10, 20, 30, 40, 60]);
  expect(within(22, 32)).toEqual([20, 30]);
  expect(within(26, 28)).toEqual([]);
  expect(within(90, 95)).toEqual([60]);
});
