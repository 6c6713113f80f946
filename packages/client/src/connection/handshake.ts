import {
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
  type Implementation,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResponse,
  type ServerCapabilities,
} from '@modelcontextprotocol/client';
import type { Era } from '../channels/channel.js';
import { LongwireError } from '../errors.js';
import { initializeFrom, offering, questionsOf, type Introduction } from '../target/eras.js';
import type { Protocol } from '../target/protocol-version.js';
import { handshakeRefused, otherVersion, unknownMethod } from './failures.js';
import type { Ledger, LedgerEntry } from './ledger.js';

/** What a server says of itself when hands are shaken. */
export interface ServerFacts {
  protocolVersion: string;
  capabilities: ServerCapabilities;
  serverInfo?: Implementation | undefined;
  instructions?: string | undefined;
}

/** How a handshake is ended, for a program that did not come to end its own. */
const INITIALIZED: JSONRPCNotification = {
  jsonrpc: '2.0',
  method: 'notifications/initialized',
};

/**
 * The program's own handshake. The first time it is the program's request that goes out, and the
 * program ends it; from then on it is replayed, each time under an id of its own.
 */
export class Handshake {
  /** What ends it. */
  initialized: JSONRPCNotification = INITIALIZED;
  readonly #ledger: Ledger;
  readonly #protocol: Protocol;
  #introduction: Omit<Introduction, 'questions'> | undefined;
  #entry: LedgerEntry | undefined;
  #era: Era | undefined;
  #held: JSONRPCResponse | undefined;
  #server: ServerFacts | undefined;
  #formerServer: Implementation | undefined;

  constructor(ledger: Ledger, protocol: Protocol = 'auto') {
    this.#ledger = ledger;
    this.#protocol = protocol;
  }

  /** What the server answered the last time. */
  get server(): ServerFacts | undefined {
    return this.#server;
  }

  /** Who the server said it was before, if that is not who it says it is now. */
  get formerServer(): Implementation | undefined {
    return this.#formerServer;
  }

  /** Which era the server was of the last time. */
  get era(): Era | undefined {
    return this.#era;
  }

  /** What every request of the modern era says of who asks; `undefined` in the legacy era. */
  get envelope(): Record<string, unknown> | undefined {
    return this.#era === 'modern' ? this.#introduction?.discover?.params?._meta : undefined;
  }

  /** The program's own request, as long as it waits for its answer. */
  get own(): LedgerEntry | undefined {
    const entry = this.#entry;
    return entry !== undefined && this.#ledger.find(entry.id) === entry ? entry : undefined;
  }

  /**
   * Takes the program's own request: `server/discover`, of one that speaks both eras, or
   * `initialize`. Returns the answer if the server has given it already: it was asked both in turn,
   * or by another `Client` of the same program.
   */
  begin(request: JSONRPCRequest, entry: LedgerEntry): JSONRPCResponse | undefined {
    const asked = this.#introduction;
    const isDiscover = request.method === 'server/discover';
    const initialize = offering(isDiscover ? initializeFrom(request) : request, this.#protocol);
    this.#entry = entry;
    this.#introduction = { discover: isDiscover ? request : asked?.discover, initialize };
    const [before, now] = isDiscover ? [asked?.discover, request] : [asked?.initialize, initialize];
    const isSame = JSON.stringify(before?.params) === JSON.stringify(now.params);
    if (!isSame || this.#held === undefined) return undefined;
    return isDiscover === (this.#era === 'modern') ? this.#held : unknownMethod(request.id);
  }

  /**
   * The requests for the next session.
   *
   * @throws LongwireError `protocol` if the program has made none.
   */
  introduction(): Introduction {
    this.#held = undefined;
    if (this.#introduction === undefined) {
      throw new LongwireError('a request was made before initialize', {
        code: 'protocol',
        certainty: 'not-sent',
      });
    }
    const { discover, initialize } = this.#introduction;
    const id = this.own?.id ?? this.#ledger.newId();
    return {
      discover: discover && { ...discover, id },
      initialize: { ...initialize, id },
      questions: questionsOf(discover, this.#protocol),
    };
  }

  /**
   * Learns from the answer. True if the server is of another era than before.
   *
   * @throws ConnectError if a replayed handshake was answered with an error (what its own was
   * answered is the program's to judge), or the server does not take the version that is named.
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
    this.#held = answer;
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
