import type { Cluster, Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long Redis waits for replicas that keep up: it answers nothing else on the connection meanwhile. */
const PATIENCE_MS = 50;
/** How long it waits, and after which time it is asked again, while they do not. */
const BEHIND_MS = 1;
const POLL_MS = 50;
const MOVED = /^(MOVED|ASK)\b/;

/** A script that replicas must have. */
export interface ReplicatedCall {
  readonly keys: readonly string[];
  /** Nobody waits for it any more. */
  readonly isSettled: boolean;
  /** Redis has done it; replicas may lack it. */
  isDone: boolean;
}

/** A script by its hash, or as a whole, and what it is given. */
export type Evaluation = readonly [
  name: 'evalsha' | 'eval',
  script: string,
  args: readonly (string | number)[],
];

interface Waiter {
  readonly call: ReplicatedCall;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Waits until replicas have what was sent on a connection to one Redis. `WAIT` is about all that was
 * written on its connection before it, so that one serves all that wait.
 */
export class ReplicaWait {
  readonly client: Redis;
  readonly #replicas: number;
  #waiters: Waiter[] = [];
  #isAsking = false;
  #isBehind = false;

  constructor(client: Redis, replicas: number) {
    this.client = client;
    this.#replicas = replicas;
  }

  /** Fulfilled when they have what is sent in this turn of the event loop, and all before; rejected when the connection ends. */
  caughtUp(call: ReplicatedCall): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ call, resolve, reject });
      if (this.#isAsking) return;
      this.#isAsking = true;
      setImmediate(() => void this.#ask());
    });
  }

  async #ask(): Promise<void> {
    while (this.#waiters.length > 0) {
      const asked = this.#waiters;
      this.#waiters = [];
      try {
        const count = await this.client.wait(
          this.#replicas,
          this.#isBehind ? BEHIND_MS : PATIENCE_MS,
        );
        this.#isBehind = count < this.#replicas;
        if (!this.#isBehind) {
          for (const waiter of asked) waiter.resolve();
          continue;
        }
      } catch (error) {
        for (const waiter of asked) waiter.reject(error);
        continue;
      }
      await sleep(POLL_MS);
      this.#waiters = [...asked, ...this.#waiters].filter(({ call }) => !call.isSettled);
    }
    this.#isAsking = false;
  }
}

/**
 * Runs a script in a Redis Cluster, and waits until so many replicas of its shard have what it wrote. Both
 * go to one connection; the script may run several times.
 */
export async function runReplicated(
  cluster: Cluster,
  [name, script, given]: Evaluation,
  call: ReplicatedCall,
  replicas: number,
): Promise<unknown> {
  const args = [call.keys.length, ...call.keys, ...given] as const;
  for (let waitMs = PATIENCE_MS; ; waitMs = BEHIND_MS) {
    const results = await cluster
      .pipeline()
      [name](script, ...args)
      .wait(replicas, waitMs)
      .exec();
    const [[failed, reply] = [], [waitFailed, count] = []] = results ?? [];
    if (failed instanceof Error && MOVED.test(failed.message)) {
      // A single command follows, and learns where the slot is now.
      await cluster[name](script, ...args);
      continue;
    }
    const error = failed ?? waitFailed;
    if (error) throw error;
    call.isDone = true;
    if (Number(count) >= replicas || call.isSettled) return reply;
    await sleep(POLL_MS);
  }
}
