import { type ExpectPollOptions, expect } from 'vitest';

/** How long a busy machine may take, the start of a process included; nothing is said by it. */
const options: ExpectPollOptions = { timeout: 15_000, interval: 20 };

/** `expect.poll` for what happens in another process. */
export function eventually<T>(read: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, options);
}
