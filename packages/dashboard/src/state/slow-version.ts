import { useSignal, useSignalEffect, type ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Part } from './feed.js';
import { feed } from './page.js';

const EVERY_MS = 500;

/** Counts the changes of one part at most twice a second: for what is made anew of all that is kept. */
export function useSlowVersion(part: Part): ReadonlySignal<number> {
  const slow = useSignal(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useSignalEffect(() => {
    void feed.version(part).value;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      slow.value++;
    }, EVERY_MS);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return slow;
}
