import { expect, it } from 'vitest';
import { missedSince } from '../../src/parts/held-list.ts';
import { rowWindow, scrolledTo } from '../../src/parts/row-window.ts';

const view = { rowHeight: 36, viewHeight: 360 };

it('draws what is seen and a little more, whatever the length', () => {
  expect(rowWindow({ ...view, count: 5, scrollTop: 0 })).toEqual({
    first: 0,
    end: 5,
    top: 0,
    height: 180,
  });
  const middle = rowWindow({ ...view, count: 10_000, scrollTop: 36_000 });
  expect(middle).toEqual({ first: 994, end: 1016, top: 994 * 36, height: 360_000 });
  const end = rowWindow({ ...view, count: 10_000, scrollTop: 10_000_000 });
  expect([end.first, end.end]).toEqual([9_978, 10_000]);
  const cut = rowWindow({ ...view, count: 5_000_000, scrollTop: 0 });
  expect(cut.height).toBeLessThanOrEqual(8_000_000);
});

it('scrolls no further than a row needs', () => {
  const at = { ...view, scrollTop: 360 };
  expect([scrolledTo(9, at), scrolledTo(12, at), scrolledTo(20, at)]).toEqual([324, 360, 396]);
});

it('counts what came after a list was held, even when its beginning is gone', () => {
  const [a, b, c, d] = [{}, {}, {}, {}];
  expect(missedSince([a, b, c, d], b)).toBe(2);
  expect(missedSince([c, d], b)).toBe(2);
  expect(missedSince([], undefined)).toBe(0);
});
