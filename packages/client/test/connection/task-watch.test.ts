import { expect, it } from 'vitest';
import { TaskWatch } from '../../src/connection/task-watch.ts';

it('names no more tasks than servers take, so that they still say what happens to those', () => {
  const watch = new TaskWatch(() => {});
  const ids = Array.from({ length: 1_001 }, (_, index) => `task-${index}`);
  const stops = ids.map((id) => watch.watch(id, () => {}));
  expect(watch.wanted).toEqual(ids.slice(0, 1_000));
  stops[0]?.();
  expect(watch.wanted).toEqual(ids.slice(1));
  watch.end();
});

it('is told for each that waits for a task, and forgets it with the last', () => {
  const watch = new TaskWatch(() => {});
  const told: string[] = [];
  const stopOne = watch.watch('task', () => told.push('one'));
  const stopTwo = watch.watch('task', () => told.push('two'));
  watch.acknowledged({ taskIds: ['task'] });
  expect(told).toEqual(['one', 'two']);
  stopOne();
  expect(watch.wanted).toEqual(['task']);
  watch.unheard();
  expect(told).toEqual(['one', 'two', 'two']);
  stopTwo();
  expect(watch.wanted).toEqual([]);
  watch.end();
});
