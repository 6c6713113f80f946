import { ReconnectingTransport } from '../connection/transport.js';
import { asConnectError, handshakeRefused } from '../connection/failures.js';
import type { ToolCatalog } from '../tools/catalog.js';
import type { ResolvedConnectionOptions } from '../connection/resolve-options.js';
import type { ListName } from '../connection/restorable-state.js';
import type { ListBounds } from '../connection/pages.js';
import type { ConnectionState } from '../connection/state.js';
import type { Tally } from '../health/tally.js';
import type { Target } from '../dial/target.js';
import { Away } from './away.js';
import type { Call } from './call.js';
import { longwireErrorIn } from './sdk-errors.js';
import type { SdkSide } from './sdk-side.js';

/** What the connection of a client is made with. */
export interface CurrentConnectionOptions {
  target: Target;
  options: ResolvedConnectionOptions;
  /** What is known of the server's tools. */
  catalog: ToolCatalog;
  sdkSide: SdkSide;
  tally: Tally;
  /** The lists of the server of which the program wants to know the changes. */
  watchedLists: () => readonly ListName[];
  /** Called on every change of state. */
  onState: (state: ConnectionState) => void;
  /** The calls that are under way. */
  calls: () => readonly Call[];
}

/** The connection of a client: made when it is first needed, and another one after a close. */
export class CurrentConnection {
  readonly #options: CurrentConnectionOptions;
  #latest: ReconnectingTransport | undefined;
  #opening: Promise<ReconnectingTransport> | undefined;
  /** Whether its server is away, and the calls that wait for it. */
  readonly away: Away<Call>;

  constructor(options: CurrentConnectionOptions) {
    this.#options = options;
    this.away = new Away({
      retry: options.options.retry,
      calls: options.calls,
      // A call that is not in flight yet waits for its turn.
      isWaiting: (call) =>
        call.id === -1 || call.taskId !== undefined || this.#latest?.holds(call) === true,
    });
  }

  /** What a list of the server may hold. */
  get listBounds(): ListBounds {
    return this.#options.options.listBounds;
  }

  /** The latest one, closed or not. */
  get latest(): ReconnectingTransport | undefined {
    return this.#latest;
  }

  /** The connection on which requests are sent at once, if there is one. */
  get ready(): ReconnectingTransport | undefined {
    const connection = this.#latest;
    return connection?.state.name === 'ready' && !connection.isClosing ? connection : undefined;
  }

  /**
   * The connection, once its handshake has succeeded. There is one attempt at a time.
   *
   * @throws ConnectError
   */
  open(): Promise<ReconnectingTransport> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Fulfilled when nothing is left open; the next `open` makes another. */
  async close(): Promise<void> {
    const connection = this.#latest;
    this.#opening = undefined;
    this.away.returned();
    await connection?.close();
  }

  async #open(): Promise<ReconnectingTransport> {
    const { target, options, catalog, sdkSide, tally, watchedLists, onState } = this.#options;
    const connection = new ReconnectingTransport(target, options, catalog);
    connection.onstate = (state) => {
      if (this.#latest === connection) {
        // Closed from the SDK's side counts too: the next call connects again.
        if (state.name === 'closed') this.#opening = undefined;
        tally.stateChanged(state);
        this.away.entered(state);
      }
      onState(state);
    };
    connection.onera = () => sdkSide.attachAnew(connection);
    connection.watchLists(watchedLists());
    const previous = this.#latest;
    this.#latest = connection;
    tally.droppedBefore += previous?.droppedAnswers ?? 0;
    try {
      await previous?.close();
      await sdkSide.attach(connection);
      return connection;
    } catch (error) {
      if (this.#latest === connection) this.#opening = undefined;
      await connection.close();
      const failure = asConnectError(longwireErrorIn(error) ?? handshakeRefused(error));
      if (this.#latest === connection) this.away.dialFailed(failure);
      throw failure;
    }
  }
}
