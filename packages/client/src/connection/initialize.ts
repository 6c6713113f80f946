import {
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
  type Implementation,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResponse,
  type ServerCapabilities,
} from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';
import { initializeFrom, offering, firstMethodsOf, type FirstRequests } from '../dial/eras.js';
import type { Era, Protocol } from '../protocol-version.js';
import { handshakeRefused, otherVersion, unknownMethod } from './failures.js';
import type { Ledger, LedgerEntry, LedgerRequest } from './ledger.js';

/** What a server says about itself in the handshake. */
export interface ServerFacts {
  protocolVersion: string;
  capabilities: ServerCapabilities;
  serverInfo?: Implementation | undefined;
  instructions?: string | undefined;
}

/** Ends the handshake of a program that has not ended it itself. */
const INITIALIZED: JSONRPCNotification = {
  jsonrpc: '2.0',
  method: 'notifications/initialized',
};

/** What a server says among its experimental capabilities. */
const REPEATED_IDS = 'longwire/repeatedIds';

/**
 * The program's handshake. The first time, the program's own request goes out, and the program ends
 * the handshake; later it is replayed on every new session, each time under a new id.
 */
export class InitializeReplay {
  /** The notification that ends the handshake. */
  initialized: JSONRPCNotification = INITIALIZED;
  readonly #ledger: Ledger;
  readonly #protocol: Protocol;
  #requests: Omit<FirstRequests, 'methods'> | undefined;
  #entry: LedgerEntry | undefined;
  #era: Era | undefined;
  #answer: JSONRPCResponse | undefined;
  #server: ServerFacts | undefined;
  #formerServer: Implementation | undefined;

  constructor(ledger: Ledger, protocol: Protocol = 'auto') {
    this.#ledger = ledger;
    this.#protocol = protocol;
  }

  /** What the latest handshake told about the server. */
  get server(): ServerFacts | undefined {
    return this.#server;
  }

  /** Whether the server runs a request of a session once, however often it comes under its id. */
  get repeatsIds(): boolean {
    return this.#server?.capabilities.experimental?.[REPEATED_IDS] !== undefined;
  }

  /** The name and version of the server before, if they are different now. */
  get formerServer(): Implementation | undefined {
    return this.#formerServer;
  }

  /** The era of the server in the latest handshake. */
  get era(): Era | undefined {
    return this.#era;
  }

  /** What goes with every request of the modern era; `undefined` in the legacy era. */
  get envelope(): Record<string, unknown> | undefined {
    return this.#era === 'modern' ? this.#requests?.discover?.params?._meta : undefined;
  }

  /** The request that every server of this era answers. */
  get ping(): LedgerRequest {
    return { method: this.#era === 'modern' ? 'server/discover' : 'ping' };
  }

  /** The program's own request, while it waits for its answer. */
  get own(): LedgerEntry | undefined {
    const entry = this.#entry;
    return entry !== undefined && this.#ledger.find(entry.id) === entry ? entry : undefined;
  }

  /**
   * Takes the program's own request: `server/discover` if the program speaks both eras, otherwise
   * `initialize`. Returns the answer if the server has given it already: to both requests of this
   * program, or to another `Client` of it.
   */
  begin(request: JSONRPCRequest, entry: LedgerEntry): JSONRPCResponse | undefined {
    const former = this.#requests;
    const isDiscover = request.method === 'server/discover';
    const initialize = offering(isDiscover ? initializeFrom(request) : request, this.#protocol);
    this.#entry = entry;
    this.#requests = { discover: isDiscover ? request : former?.discover, initialize };
    const [before, now] = isDiscover
      ? [former?.discover, request]
      : [former?.initialize, initialize];
    const isSame = JSON.stringify(before?.params) === JSON.stringify(now.params);
    if (!isSame || this.#answer === undefined) return undefined;
    return this.answerTo(entry, this.#answer, this.#era);
  }

  /** The answer to the program's own request, which may be the request of the other era. */
  answerTo(
    { id, request }: LedgerEntry,
    answer: JSONRPCResponse,
    era: Era | undefined,
  ): JSONRPCResponse {
    const isDiscover = request.method === 'server/discover';
    return isDiscover === (era === 'modern') ? answer : unknownMethod(id);
  }

  /**
   * The requests for the next session.
   *
   * @throws LongwireError `protocol` if the program has made none.
   */
  firstRequests(): FirstRequests {
    this.#answer = undefined;
    if (this.#requests === undefined) {
      throw new LongwireError('a request was made before initialize', {
        code: 'protocol',
        certainty: 'not-sent',
      });
    }
    const { discover, initialize } = this.#requests;
    const id = this.own?.id ?? this.#ledger.newId();
    return {
      discover: discover && { ...discover, id },
      initialize: { ...initialize, id },
      methods: firstMethodsOf(discover, this.#protocol),
    };
  }

  /**
   * Takes the server's answer. True if the server is of another era than before.
   *
   * @throws ConnectError if a replayed handshake was answered with an error, or if the server does
   * not speak the version that the program names. An error to the program's own handshake is for
   * the program.
   */
  learn(answer: JSONRPCResponse, era: Era): boolean {
    const isNamed = this.#protocol !== 'auto' && era === 'legacy';
    if ('error' in answer) {
      if (isNamed) throw otherVersion(this.#protocol, answer.error.message);
      if (this.own === undefined) throw handshakeRefused(answer.error, 'server-error');
      return false;
    }
    const facts = answer.result as unknown as ServerFacts;
    if (isNamed && facts.protocolVersion !== this.#protocol) {
      throw otherVersion(this.#protocol, `it answers with ${facts.protocolVersion}`);
    }
    const former = this.#server?.serverInfo;
    const hasChanged = this.#era !== undefined && this.#era !== era;
    this.#era = era;
    this.#answer = answer;
    this.#server = era === 'legacy' ? facts : this.#discovered(answer.result);
    const isSame = JSON.stringify(former) === JSON.stringify(this.#server.serverInfo);
    this.#formerServer = isSame ? undefined : former;
    return hasChanged;
  }

  #discovered(result: Record<string, unknown>): ServerFacts {
    const meta = (result['_meta'] ?? {}) as Record<string, unknown>;
    const version = this.envelope?.[PROTOCOL_VERSION_META_KEY];
    return {
      protocolVersion: String(version),
      capabilities: (result['capabilities'] ?? {}) as ServerCapabilities,
      serverInfo: meta[SERVER_INFO_META_KEY] as Implementation | undefined,
      instructions: result['instructions'] as string | undefined,
    };
  }
}
