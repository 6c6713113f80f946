import { ClusterAwayError } from '@longwire/server';
import type { Random } from '@longwire/testing';
import type {
  RedisConnection,
  RunOptions,
  ScriptArgs,
} from '../../src/connections/redis-connection.ts';

type Run = RedisConnection['run'];

/**
 * A connection that does to commands what networks do: they come late, or twice, or not at all; a reply is
 * lost; a process stalls, and what it had to say is sent when it goes on. All that reaches Redis runs there.
 */
export class HostileConnection {
  readonly connection: RedisConnection;
  /** What is under way on a connection that was given up, and may still arrive. */
  readonly late: (() => Promise<unknown>)[] = [];
  /** Whether everything goes well. */
  isCalm = false;
  readonly #run: Run;
  readonly #random: Random;
  #stalled: (() => void)[] | undefined;

  constructor(connection: RedisConnection, random: Random) {
    this.#run = connection.run.bind(connection);
    this.#random = random;
    const hostile: Run = (...command) => this.#pass(...command);
    this.connection = new Proxy(connection, {
      get(target, name) {
        if (name === 'run') return hostile;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** Nothing is sent any more, until it goes on. */
  stall(): void {
    this.#stalled ??= [];
  }

  goOn(): void {
    const stalled = this.#stalled ?? [];
    this.#stalled = undefined;
    for (const send of stalled) send();
  }

  async #pass(
    script: string,
    keys: readonly string[],
    args: ScriptArgs,
    options?: RunOptions,
  ): Promise<unknown> {
    if (this.#stalled !== undefined) {
      await new Promise<void>((resolve) => this.#stalled?.push(resolve));
    }
    const send = (): Promise<unknown> => this.#run(script, keys, args, options);
    if (this.isCalm || options?.again !== true) return send();
    switch (this.#random.below(16)) {
      case 0:
        // Its connection breaks before it is sent, and Redis is away for too long.
        throw new ClusterAwayError();
      case 1:
        // The reply is lost, and Redis is away for too long.
        await send();
        throw new ClusterAwayError();
      case 2:
        // The reply is lost, and it is sent again.
        await send();
        return send();
      case 3:
        // The connection is given up; what was sent on it arrives whenever it likes.
        this.late.push(send);
        return send();
      default:
        return send();
    }
  }
}
