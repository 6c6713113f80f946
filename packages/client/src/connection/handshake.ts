import type {
  Implementation,
  InitializeResult,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResponse,
} from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';
import { handshakeRefused } from './failures.js';
import type { Ledger, LedgerEntry } from './ledger.js';

/** How a handshake is ended, for a program that did not come to end its own. */
const INITIALIZED: JSONRPCNotification = {
  jsonrpc: '2.0',
  method: 'notifications/initialized',
};

/**
 * The program's own handshake. The first time it is the program's request that goes out, and the
 * program ends it; from then on it is replayed, under ids that a program never uses.
 */
export class Handshake {
  /** What ends it. */
  initialized: JSONRPCNotification = INITIALIZED;
  readonly #ledger: Ledger;
  #initialize: JSONRPCRequest | undefined;
  #entry: LedgerEntry | undefined;
  #replays = 0;
  #server: InitializeResult | undefined;
  #formerServer: Implementation | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** What the server answered the last time. */
  get server(): InitializeResult | undefined {
    return this.#server;
  }

  /** Who the server said it was before, if that is not who it says it is now. */
  get formerServer(): Implementation | undefined {
    return this.#formerServer;
  }

  /** The program's own request, as long as it waits for its answer. */
  get own(): LedgerEntry | undefined {
    const entry = this.#entry;
    return entry !== undefined && this.#ledger.find(entry.id) === entry ? entry : undefined;
  }

  /** Takes the program's own request. */
  begin(initialize: JSONRPCRequest, entry: LedgerEntry): void {
    this.#initialize = initialize;
    this.#entry = entry;
  }

  /**
   * The request for the next session.
   *
   * @throws LongwireError `protocol` if the program has made none.
   */
  request(): JSONRPCRequest {
    if (this.#initialize === undefined) {
      throw new LongwireError('a request was made before initialize', {
        code: 'protocol',
        certainty: 'not-sent',
      });
    }
    return { ...this.#initialize, id: this.own?.id ?? `handshake-${++this.#replays}` };
  }

  /**
   * Learns from the answer.
   *
   * @throws ConnectError if a replayed handshake was answered with an error; what its own was
   * answered is the program's to judge.
   */
  learn(answer: JSONRPCResponse): void {
    if ('error' in answer) {
      if (this.own === undefined) throw handshakeRefused(answer.error, 'server-error');
      return;
    }
    const former = this.#server?.serverInfo;
    this.#server = answer.result as InitializeResult;
    const isSame = JSON.stringify(former) === JSON.stringify(this.#server.serverInfo);
    this.#formerServer = isSame ? undefined : former;
  }
}
