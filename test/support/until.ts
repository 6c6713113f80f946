import { vi } from 'vitest';

/**
 * Waits for a fact: for an assertion that throws no more, or for a condition that is not `false`
 * any more. How long a busy machine may take, the start of a process included, says nothing; the limit is
 * for what never comes.
 */
export function until(fact: () => unknown, limitMs = 60_000): Promise<void> {
  const holds = async (): Promise<void> => {
    if ((await fact()) === false) throw new Error(`never came true: ${String(fact)}`);
  };
  return vi.waitFor(holds, { timeout: limitMs, interval: 5 });
}
