import type { QueuesOptions, ServerFactory } from '@longwire/server';
import { randomUUID } from 'node:crypto';
import { connect } from '../connect.js';
import { Keys } from '../keys.js';
import { Members, workerName } from '../node/members.js';
import { resolveRedisOptions } from '../options.js';
import type { RedisOptions } from '../options.js';
import { CallWorker, type WorkedCall } from './call-worker.js';
import { SILENT, type WorkerLog } from './worker-log.js';

/** What a worker runs, and how much of it. */
export interface WorkerOptions {
  /** Makes the server of a call: what the nodes have as `create`. */
  readonly create: ServerFactory;
  /** What the nodes have as `queues`: calls of those with `worker: true` are run. */
  readonly queues: QueuesOptions;
  /** The path below which the nodes have everything, as their `prefix`: `/api`. Default: none. */
  readonly mount?: string;
  /** What the nodes give to `redis(url, options)`. */
  readonly redis?: RedisOptions;
  /** Calls of each queue at a time. Default: 1. */
  readonly concurrency?: number;
  /**
   * How long the worker may be silent before it counts as dead, in milliseconds: after that its calls end
   * with `outcome-unknown`, or run again in another worker if their tool is safe. A tool that keeps the
   * process busy for longer than this needs more. At least 1 000. Default: 15 000.
   */
  readonly silenceMs?: number;
  /** Told of each call that has ended. Default: nobody. */
  readonly onCall?: (call: WorkedCall) => void;
  /** Told of what fails. Default: nobody. */
  readonly log?: WorkerLog;
}

/** A worker that runs. */
export interface StartedWorker {
  /** The queues that it serves. */
  readonly queues: readonly string[];
  /** How many calls run now. */
  readonly running: number;
  /** Takes no more calls, and lets those that run end; `isNow` cancels them. */
  close(options?: { readonly isNow?: boolean }): Promise<void>;
}

/**
 * Runs calls of heavy tools for the nodes of a cluster, until it is closed: what `longwire worker` does.
 *
 * ```ts
 * const worker = await startWorker('redis://127.0.0.1:6379', { create, queues });
 * ```
 *
 * @throws TypeError for a wrong option; Error that says what cannot be reached, or that BullMQ is missing.
 */
export async function startWorker(
  url: string | readonly string[],
  options: WorkerOptions,
): Promise<StartedWorker> {
  const {
    create,
    queues,
    mount = '',
    redis,
    concurrency = 1,
    silenceMs = 15_000,
    log = SILENT,
    onCall,
  } = options;
  if (typeof create !== 'function') {
    throw new TypeError('create must be a function that makes the server of a call');
  }
  const names = namesOf(queues);
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new TypeError('concurrency must be a whole number above 0');
  }
  if (!Number.isFinite(silenceMs) || silenceMs < 1_000) {
    throw new TypeError('silenceMs must be a number of milliseconds, at least 1000');
  }
  const connection = await connect(url, redis, mount);
  connection.onUnreadable((kind, reason) => {
    log.error({ kind, reason }, 'something of the cluster cannot be read, and is left out');
  });
  const members = new Members({
    name: workerName(randomUUID()),
    connection,
    keys: new Keys(resolveRedisOptions(redis).prefix, mount),
    outdated: (error) => {
      log.error(error, 'the worker takes no more calls');
      void started?.close();
    },
  });
  let started: StartedWorker | undefined;
  try {
    // Before it writes anything: others must be able to read that.
    await members.join();
    const worker = await CallWorker.start(connection, {
      create,
      queues: names,
      concurrency,
      silenceMs,
      log,
      ended: onCall,
    });
    const leave = (): Promise<void> =>
      members.leave().catch((error: unknown) => {
        log.debug(error, 'the cluster could not be told that this worker leaves');
      });
    let closing: Promise<void> | undefined;
    started = {
      queues: names,
      get running() {
        return worker.running;
      },
      close: (how) => {
        const closed = worker.close(how);
        return (closing ??= closed.then(leave).finally(() => connection.close()));
      },
    };
    return started;
  } catch (error) {
    members.close();
    connection.close();
    throw error;
  }
}

function namesOf(queues: unknown): string[] {
  const given = typeof queues === 'object' && queues !== null ? Object.entries(queues) : [];
  const names = given.flatMap(([name, queue]) =>
    (queue as { worker?: unknown } | null)?.worker === true ? [name] : [],
  );
  if (names.length > 0) return names;
  throw new TypeError('queues must have a queue with worker: true, as the option of serve has it');
}
