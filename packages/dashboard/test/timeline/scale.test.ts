import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_RANGE_MS,
  MIN_RANGE_MS,
  movedTo,
  panned,
  rangeHolding,
  ticksOf,
  timeAt,
  xOf,
  zoomed,
} from '../../src/timeline/scale.ts';

const scale = { from: 1000, to: 2000, left: 150, width: 500 };

it('a place is a time, and a time a place', () => {
  expect([1000, 1500, 2000].map((at) => xOf(scale, at))).toEqual([150, 400, 650]);
  expect(timeAt(scale, xOf(scale, 1234.5))).toBeCloseTo(1234.5);
});

it('zooming leaves the time under the pointer where it is, within bounds', () => {
  const range = fc.record({
    from: fc.integer({ min: 0, max: 1e12 }),
    ms: fc.integer({ min: 1, max: 1e9 }),
  });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      range,
      share,
      fc.double({ min: 0.001, max: 1000, noNaN: true }),
      (given, part, factor) => {
        const { from, ms } = given;
        const around = from + ms * part;
        const to = zoomed({ from, to: from + ms }, factor, around);
        expect(to.to - to.from).toBeGreaterThan(MIN_RANGE_MS * 0.99);
        expect(to.to - to.from).toBeLessThan(MAX_RANGE_MS * 1.01);
        expect((around - to.from) / (to.to - to.from)).toBeCloseTo(part, 2);
      },
    ),
  );
});

it('moves along, and no further than it has to', () => {
  expect(panned(scale, 0.5)).toEqual({ from: 1500, to: 2500 });
  expect(movedTo(scale, 1500)).toBe(scale);
  expect(movedTo(scale, 2500)).toEqual({ from: 1600, to: 2600 });
  expect(movedTo(scale, 500)).toEqual({ from: 400, to: 1400 });
});

it('one finger moves the time, two zoom it', () => {
  expect(rangeHolding(scale, [{ at: 1500, x: 150 }])).toEqual({ from: 1500, to: 2500 });
  expect(
    rangeHolding(scale, [
      { at: 1600, x: 650 },
      { at: 1400, x: 150 },
    ]),
  ).toEqual({ from: 1400, to: 1600 });
  expect(rangeHolding(scale, [])).toEqual({ from: 1000, to: 2000 });
});

describe('times that are named', () => {
  it('are whole steps of the clock, far enough apart', () => {
    const { stepMs, ticks } = ticksOf(
      { from: 3_601_234, to: 3_661_234, left: 0, width: 600 },
      90,
      0,
    );
    expect(stepMs).toBe(10_000);
    expect(ticks.map(({ at }) => at)).toEqual([
      3_610_000, 3_620_000, 3_630_000, 3_640_000, 3_650_000, 3_660_000,
    ]);
    expect(ticks[1]!.x - ticks[0]!.x).toBeCloseTo(100);
  });

  it('are whole hours where the clock is half an hour off', () => {
    const offsetMs = 5.5 * 3_600_000;
    const { ticks } = ticksOf({ from: 0, to: 6 * 3_600_000, left: 0, width: 600 }, 90, offsetMs);
    expect(ticks.map(({ at }) => (at + offsetMs) % 3_600_000)).toEqual(ticks.map(() => 0));
    expect(ticks.length).toBeGreaterThan(3);
  });
});
