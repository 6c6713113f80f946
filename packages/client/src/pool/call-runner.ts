import { awayError } from '../client/away.js';
import { Call, type SharedCallOptions } from '../client/call.js';
import type { LongwireClient } from '../client/contract.js';
import type { OperationOptions, WhenAway } from '../client/types.js';
import { closedError } from '../connection/failures.js';
import { UNREACHABLE } from '../error-facts.js';
import { ConnectError, ConnectionLostError, LongwireError } from '../errors.js';
import { WaitQueue } from '../wait-queue.js';
import type { Connections } from './connections.js';
import { PoolCall, type PooledConnection } from './target.js';

/** What runs the calls of a pool is made with. */
export interface CallRunnerOptions {
  connections: Connections;
  maxQueued: number;
  shared: SharedCallOptions;
  /** What the pool is called, for messages. */
  nameOf: () => string;
  /** What calls do whose options do not say. */
  whenAway: WhenAway;
}

/** Runs calls on the connections of a pool; a call for which there is none waits in a queue. */
export class CallRunner {
  readonly #connections: Connections;
  readonly #maxQueued: number;
  readonly #shared: SharedCallOptions;
  readonly #nameOf: () => string;
  readonly #whenAway: WhenAway;
  readonly #queue = new WaitQueue<PooledConnection, PoolCall>();
  /** How often the pool was closed. */
  #closings = 0;

  constructor({ connections, maxQueued, shared, nameOf, whenAway }: CallRunnerOptions) {
    this.#nameOf = nameOf;
    this.#whenAway = whenAway;
    this.#connections = connections;
    this.#maxQueued = maxQueued;
    this.#shared = shared;
  }

  /** How many calls wait for a connection. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Fails the calls that wait; calls that run fail with their connections. */
  close(): void {
    this.#closings++;
    this.#queue.failAll(() => closedError('not-sent'));
  }

  /** Fails all calls that wait, and those that were given to a connection and certainly have not run. */
  refuse(errorOf: (what: string) => LongwireError): void {
    this.#queue.failAll(({ what }) => errorOf(what));
    for (const { calls } of this.#connections.all) {
      for (const call of calls) call.refuse(errorOf(call.what));
    }
  }

  /**
   * Ends a call that is not to wait although no target can be reached. Another, which nobody waits for,
   * tries one.
   *
   * @throws LongwireError
   */
  #giveUpIfAway({ what }: PoolCall): void {
    const { absence } = this.#connections;
    if (absence === undefined) return;
    if (absence.nextTryAt !== undefined && absence.nextTryAt <= Date.now()) {
      const probe = new PoolCall('connecting');
      this.run(probe, { whenAway: 'wait' }, (client) => client.connect()).catch(() => {});
    }
    throw awayError({ what, server: this.#nameOf(), certainty: 'not-sent' }, absence);
  }

  /** Whether a call that was not sent has waited enough, or tried enough. */
  #isSpent(call: PoolCall, whenAway: WhenAway): boolean {
    if (whenAway === 'wait') return false;
    if (whenAway === 'fail') return call.failures >= this.#connections.targets.length;
    return performance.now() - call.madeAt >= whenAway.waitMs;
  }

  /** Runs one operation on a connection; on another one if it could not be sent on the first. */
  async run<Options extends OperationOptions, T>(
    call: PoolCall,
    own: Options,
    run: (client: LongwireClient, options: Options) => Promise<T>,
  ): Promise<T> {
    const closings = this.#closings;
    const { whenAway = this.#whenAway } = own;
    for (;;) {
      if (whenAway === 'fail') this.#giveUpIfAway(call);
      const isNext = call.failure !== undefined || this.#queue.size === 0;
      const connection =
        (isNext ? this.#connections.take(call) : undefined) ?? (await this.#wait(call, own));
      try {
        // It may have been removed since it was given.
        if (connection.isRemoved && closings !== this.#closings) throw closedError('not-sent');
        const done = connection.isRemoved
          ? undefined
          : { result: await run(connection.client, own) };
        this.#connections.release(connection, call);
        this.serve();
        if (done !== undefined) return done.result;
      } catch (error) {
        this.#connections.release(connection, call);
        if (call.refusal !== undefined) {
          this.serve();
          throw call.refusal;
        }
        call.failure = unsentOf(error, call);
        call.tried.add(connection.target);
        call.failures++;
        if (call.failure !== undefined && connection.isRemoved) {
          connection.target.lastError = call.failure;
        }
        if (call.failure === undefined || closings !== this.#closings) {
          this.serve();
          throw error;
        }
        if (this.#isSpent(call, whenAway)) {
          this.serve();
          throw call.failure;
        }
        if (!this.#connections.mayServe(call)) {
          this.#failed(call.failure);
          throw call.failure;
        }
      }
    }
  }

  /** Waits until a call is given a connection, for as long as it has time. */
  async #wait(call: PoolCall, options: OperationOptions): Promise<PooledConnection> {
    const wasTried = call.failure !== undefined;
    if (!wasTried && this.#queue.size >= this.#maxQueued) {
      throw queueFull(call, this.#maxQueued);
    }
    const what = `${call.what}, waiting for a connection of the pool,`;
    const limits = new Call(what, options, this.#shared);
    const waiter = this.#queue.enter(call, { inFront: wasTried });
    try {
      return await limits.before(waiter.promise);
    } catch (error) {
      this.#queue.leave(waiter);
      if (waiter.value !== undefined) this.#connections.release(waiter.value, call);
      this.serve();
      throw error;
    } finally {
      limits.done();
    }
  }

  /** Gives connections to the calls that wait, in order. */
  serve(): void {
    for (;;) {
      const { first } = this.#queue;
      if (first === undefined) return;
      const { failure } = first.who;
      const isLost = failure !== undefined && !this.#connections.mayServe(first.who);
      const connection = isLost ? undefined : this.#connections.take(first.who);
      if (!isLost && connection === undefined) return;
      this.#queue.leave(first);
      if (connection !== undefined) first.give(connection);
      else if (failure !== undefined) first.fail(failure);
    }
  }

  /** A call has found no connection to be sent on: the calls that wait would not either. */
  #failed(error: LongwireError): void {
    const isAllDown = this.#connections.all.length === 0 && error instanceof ConnectError;
    if (isAllDown) this.#queue.failAll(() => error);
    else this.serve();
  }
}

/** What a call failed with that certainly was not sent, if another connection may be better. */
function unsentOf(error: unknown, { what, isWithdrawn }: PoolCall): LongwireError | undefined {
  if (isWithdrawn) {
    return new ConnectionLostError(`the connection was lost before ${what} was sent`, {
      certainty: 'not-sent',
      cause: error,
    });
  }
  if (!(error instanceof LongwireError) || error.certainty !== 'not-sent') return undefined;
  return error instanceof ConnectError || UNREACHABLE.has(error.code) ? error : undefined;
}

function queueFull({ what }: PoolCall, maxQueued: number): LongwireError {
  return new LongwireError(
    `${what} was refused: all connections of the pool are busy, and ${maxQueued} calls wait already`,
    {
      code: 'queue-full',
      certainty: 'not-sent',
      hint: 'wait for some, or raise size or maxQueued',
    },
  );
}
