import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import type { TargetOption } from '../../src/index.ts';
import {
  createPool,
  type LongwirePool,
  type PoolOptions,
  type PoolTargetStatus,
} from '../../src/pool/index.ts';
import { atTheEndOfEachTest as withServers } from './streamable.ts';

/** Delays that nobody has to wait for. */
const quick = { retry: { firstDelayMs: 5, maxDelayMs: 50 } };

/** As its namesake for clients, with pools. */
export function atTheEndOfEachTest(): Omit<ReturnType<typeof withServers>, 'client' | 'setUp'> & {
  pool: (target: TargetOption | TargetOption[], options?: PoolOptions) => LongwirePool;
} {
  const { closeLater, serve, gateTo } = withServers();
  return {
    closeLater,
    serve,
    gateTo,
    pool: (target, options) => closeLater(createPool(target, { ...quick, ...options })),
  };
}

/** Holds the calls that come to a server, until they are released one by one. */
export class Held {
  /** For `holdPost` of the server. */
  readonly hold = (message: RpcMessage): Promise<void> | undefined => {
    if (message.method !== 'tools/call' || this.#isOver) return undefined;
    this.#texts.push(textOf(message));
    return new Promise((resolve) => this.#held.push(resolve));
  };
  readonly #texts: string[] = [];
  #held: (() => void)[] = [];
  #isOver = false;

  /** The messages of the calls that have come so far, in order. */
  get came(): readonly string[] {
    return this.#texts;
  }

  /** Releases the one that came first. */
  release(): void {
    this.#held.shift()?.();
  }

  /** Releases all, and holds no more. */
  end(): void {
    this.#isOver = true;
    for (const go of this.#held.splice(0)) go();
  }
}

/** What a call of `echo` says. */
export function textOf({ params }: RpcMessage): string {
  return String((params?.['arguments'] as { message?: string } | undefined)?.message);
}

/** The status of each target, in the order in which they were given. */
export function targetsOf(pool: LongwirePool): [PoolTargetStatus, PoolTargetStatus] {
  return pool.status().targets as [PoolTargetStatus, PoolTargetStatus];
}
