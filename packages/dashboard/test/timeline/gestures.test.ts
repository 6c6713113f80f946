import { beforeEach, expect, it } from 'vitest';
import { Gestures, type PointerAt } from '../../src/timeline/gestures.ts';

const done: unknown[] = [];
const gestures = new Gestures({
  timeAt: (x) => x * 10,
  onDrag: (range) => done.push(['drag', range?.from, range?.to]),
  onDragged: ({ from, to }, isOnRuler) => done.push(['dragged', from, to, isOnRuler]),
  onClick: (x, y) => done.push(['click', x, y]),
  onMove: (held) => done.push(['move', ...held.map(({ at, x }) => [at, x])]),
});
const mouse = (x: number, more: Partial<PointerAt> = {}): PointerAt => ({
  id: 1,
  x,
  y: 50,
  isTouch: false,
  isOnRuler: false,
  ...more,
});
const finger = (id: number, x: number): PointerAt => mouse(x, { id, isTouch: true });

beforeEach(() => {
  gestures.cancel();
  done.length = 0;
});

it('a mouse that hardly moves clicks', () => {
  gestures.move(mouse(90));
  gestures.down(mouse(100));
  gestures.move(mouse(102));
  gestures.up(mouse(102));
  expect(done).toEqual([
    ['drag', undefined, undefined],
    ['click', 102, 50],
  ]);
});

it('a mouse drags over a range, in both directions', () => {
  gestures.down(mouse(100, { isOnRuler: true }));
  gestures.move(mouse(40, { isOnRuler: true }));
  gestures.up(mouse(40));
  expect(done).toEqual([
    ['drag', 400, 1000],
    ['drag', undefined, undefined],
    ['dragged', 400, 1000, true],
  ]);
});

it('what is cancelled does nothing', () => {
  gestures.down(mouse(100));
  gestures.move(mouse(40));
  gestures.cancel();
  done.length = 0;
  gestures.move(mouse(20));
  gestures.up(mouse(20));
  expect(done).toEqual([]);
});

it('one finger moves the time, and two zoom', () => {
  gestures.down(finger(1, 100));
  gestures.move(finger(1, 120));
  gestures.down(finger(2, 300));
  gestures.move(finger(2, 350));
  gestures.up(finger(2, 350));
  gestures.up(finger(1, 120));
  expect(done).toEqual([
    ['move', [1000, 120]],
    ['move', [1000, 120], [3000, 350]],
    ['drag', undefined, undefined],
  ]);
});
