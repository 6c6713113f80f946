import type { Redis } from 'ioredis';
import { ClusterAwayError } from '@longwire/server';
import type { WorkConnection } from '../../src/work/work-connection.ts';
import { BareConnection } from '../support/bare-connection.ts';

/** A connection that can be away or stall. */
export class TestConnection extends BareConnection implements WorkConnection {
  #stalled: Promise<void> | undefined;

  override async run(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    if (!this.isUp) throw new ClusterAwayError();
    await this.#stalled;
    return super.run(script, keys, args);
  }

  /** Sends nothing until that is taken back. */
  stall(): () => void {
    let resume!: () => void;
    this.#stalled = new Promise<void>((resolve) => (resume = resolve));
    return () => {
      this.#stalled = undefined;
      resume();
    };
  }

  duplicate(): Redis {
    return this.redis.duplicate({ maxRetriesPerRequest: null });
  }
}
