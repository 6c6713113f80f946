import { ServerInstance, type InstanceHandlers } from '../instances/server-instance.js';
import type { ServableServer } from '../options.js';
import { handshakeOf } from './task-server.js';
import type { TaskClient } from './task-store.js';
import { isListedAsSafe } from './tool-safety.js';

/** The live server of one call, as its client would have greeted it. */
export class TaskInstance extends ServerInstance {
  readonly #client: TaskClient;
  #greeting: Promise<void> | undefined;
  #serverInfo: unknown;

  constructor(server: ServableServer, client: TaskClient, handlers: InstanceHandlers) {
    super(undefined, server, handlers);
    this.#client = client;
  }

  /** What it says of itself, once it was greeted. */
  get serverInfo(): unknown {
    return this.#serverInfo;
  }

  /**
   * Connects it and goes through the handshake, once.
   *
   * @throws what its `connect` throws.
   */
  greet(): Promise<void> {
    return (this.#greeting ??= this.#greet());
  }

  /** Whether it lists a tool as one that may run twice without harm. */
  async mayRunTwice(tool: string): Promise<boolean> {
    await this.greet();
    return isListedAsSafe(tool, async (params) => {
      const answer = await this.ask('tools/list', params);
      return answer !== undefined && 'result' in answer ? answer.result : undefined;
    });
  }

  async #greet(): Promise<void> {
    const { logLevel } = this.#client;
    await this.connect();
    const answer = await this.replay({
      initialize: handshakeOf(this.#client),
      isInitialized: true,
      subscriptions: [],
      ...(logLevel !== undefined && { logLevel }),
    });
    if (answer !== undefined && 'result' in answer) this.#serverInfo = answer.result['serverInfo'];
  }
}
