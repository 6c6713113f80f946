import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach } from 'vitest';

/** What was open when the count began. */
export interface OpenHandles {
  /**
   * Fails if more is open than at the beginning, and names it; what is closing is given a second.
   * It counts what keeps the process alive: sockets, servers, children, timers. It does not see
   * what was unref'd, such as an idle connection of a pool; a server fixture sees those.
   */
  expectNoneLeft(): Promise<void>;
}

const graceMs = 1000;
/** For how long Vitest has timers of its own when a test begins. */
const settleMs = 150;

/** Counts what is open now, or will be in a moment. */
export async function countOpenHandles(): Promise<OpenHandles> {
  await delay(settleMs);
  const before = countByKind();
  return {
    expectNoneLeft: async () => {
      const endAt = Date.now() + graceMs;
      let left = leftOver(before);
      while (left.length > 0 && Date.now() < endAt) {
        await delay(10);
        left = leftOver(before);
      }
      if (left.length > 0) throw new Error(`left open: ${left.join(', ')}`);
    },
  };
}

/**
 * Makes every test of the file, or of the `describe` in which it is called, fail if after it more
 * is open than before the first one. To be called before other hooks are registered, so that it
 * looks after they have cleaned up.
 */
export function expectNothingLeftOpen(): void {
  let handles: OpenHandles | undefined;
  beforeEach(async () => {
    handles ??= await countOpenHandles();
  });
  afterEach(async () => handles?.expectNoneLeft());
}

function leftOver(before: Map<string, number>): string[] {
  return [...countByKind()].flatMap(([kind, count]) => {
    const more = count - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} ${kind}`] : [];
  });
}

function countByKind(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
