import { Connection } from '../connection/connection.js';
import { asConnectError, handshakeRefused } from '../connection/failures.js';
import type { KnownTools } from '../connection/known-tools.js';
import type { ResolvedConnectionOptions } from '../connection/options.js';
import type { ListBounds } from '../connection/pages.js';
import type { ConnectionState } from '../connection/state.js';
import type { Tally } from '../health/tally.js';
import type { Target } from '../target/target.js';
import { longwireErrorIn } from './sdk-errors.js';
import type { SdkSide } from './sdk-side.js';

/** What the connection of a client is made with. */
export interface CurrentConnectionOptions {
  target: Target;
  options: ResolvedConnectionOptions;
  /** What is known of the server's tools. */
  tools: KnownTools;
  sdkSide: SdkSide;
  tally: Tally;
  /** Whether the program wants to know when a list of the server changes. */
  wantsLists: () => boolean;
  /** Told of every change of state. */
  onState: (state: ConnectionState) => void;
}

/** The connection of a client: made when it is first needed, and another one after a close. */
export class CurrentConnection {
  readonly #options: CurrentConnectionOptions;
  #latest: Connection | undefined;
  #opening: Promise<Connection> | undefined;

  constructor(options: CurrentConnectionOptions) {
    this.#options = options;
  }

  /** What a list of the server may hold. */
  get listBounds(): ListBounds {
    return this.#options.options.listBounds;
  }

  /** The latest one, closed or not. */
  get latest(): Connection | undefined {
    return this.#latest;
  }

  /** The one on which requests go out at once, if there is one. */
  get ready(): Connection | undefined {
    const connection = this.#latest;
    return connection?.state.name === 'ready' && !connection.isClosing ? connection : undefined;
  }

  /**
   * The connection, shaken hands; single flight.
   *
   * @throws ConnectError
   */
  open(): Promise<Connection> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Fulfilled when nothing is left open; the next `open` makes another. */
  async close(): Promise<void> {
    const connection = this.#latest;
    this.#opening = undefined;
    await connection?.close();
  }

  async #open(): Promise<Connection> {
    const { target, options, tools, sdkSide, tally, wantsLists, onState } = this.#options;
    const connection = new Connection(target, options, tools);
    connection.onstate = (state) => {
      if (this.#latest === connection) {
        // Closed from the SDK's side counts too: the next call connects again.
        if (state.name === 'closed') this.#opening = undefined;
        tally.becomes(state);
      }
      onState(state);
    };
    connection.onera = () => sdkSide.attachAnew(connection);
    if (wantsLists()) connection.wantLists();
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
      throw asConnectError(longwireErrorIn(error) ?? handshakeRefused(error));
    }
  }
}
