import type { Seals } from '../payloads.js';

/** The connection to Redis, as far as stores need it. */
export interface StoreConnection extends Seals {
  /** What every key begins with; it tells the mounts of one application apart. */
  readonly prefix: string;
  /** Whether Redis answers. */
  readonly isUp: boolean;
  /**
   * Runs a Lua script. Keys are complete. With `again` it may run once more where the connection broke
   * before its reply: it must do the same twice as once.
   *
   * @throws ClusterAwayError when Redis does not answer for too long.
   */
  run(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    options?: { readonly again?: boolean },
  ): Promise<unknown>;
  /** Told of what is published on a channel, until that is taken back; also after a reconnection. */
  subscribe(channel: string, listener: (payload: string) => void): () => void;
  /** Fulfilled when it is listened to what was subscribed. */
  subscribed(): Promise<void>;
  /** Told when something that was published may have been missed. */
  onMissed(listener: () => void): () => void;
}

/**
 * What scripts begin with: the time in milliseconds, that of Redis, so that nodes need not agree on one.
 * Tests give their own as the first argument.
 */
export const WITH_CLOCK: string = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end
`;

/** Gives the time to {@link WITH_CLOCK}. Default: the script asks Redis. */
export type StoreClock = () => number;
