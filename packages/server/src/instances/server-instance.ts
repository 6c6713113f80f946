import type {
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResultResponse,
  MessageExtraInfo,
  TransportSendOptions,
} from '@modelcontextprotocol/server';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServableServer } from '../options.js';
import { BriefMap } from './brief-map.js';
import { SessionTransport } from './session-transport.js';

/** What an instance tells its session. */
export interface InstanceHandlers {
  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> | void;
  /** The server closed itself. */
  closed(): void;
}

/** The ids of requests that are repeated for a new instance; no client has them. */
const REPLAY = 'longwire:replay:';
/** How long a server that is asked something of our own may take: others wait for what it says. */
const ASK_MS = 15_000;

type Answer = JSONRPCResultResponse | JSONRPCErrorResponse;

/** What a client has said that a new instance must know. */
export interface Replayed {
  /** As it came. */
  readonly initialize?: JSONRPCRequest;
  /** Whether `notifications/initialized` came. */
  readonly isInitialized: boolean;
  readonly logLevel?: string;
  readonly subscriptions: readonly string[];
}

/** The live server of a session, or of a task. It can be dropped, and built again from the session's record. */
export class ServerInstance {
  readonly #server: ServableServer;
  readonly #transport: SessionTransport;
  readonly #replays = new BriefMap<string, (answer?: Answer) => void>();
  readonly #handlers: InstanceHandlers;
  #isDropped = false;

  constructor(sessionId: string | undefined, server: ServableServer, handlers: InstanceHandlers) {
    this.#server = server;
    this.#handlers = handlers;
    this.#transport = new SessionTransport(sessionId, {
      send: (message, options) => this.#send(message, options),
      closed: () => {
        if (!this.#isDropped) handlers.closed();
      },
    });
  }

  get transport(): SessionTransport {
    return this.#transport;
  }

  /** @throws what the server's `connect` throws. */
  async connect(): Promise<void> {
    await this.#server.connect(this.#transport);
  }

  receive(message: JSONRPCMessage, extra?: MessageExtraInfo): void {
    this.#transport.receive(message, extra);
  }

  /**
   * Brings a new instance to where the one before was. Its answers go to nobody.
   *
   * @returns its answer to `initialize`; `undefined` where there was none.
   */
  async replay({
    initialize,
    isInitialized,
    logLevel,
    subscriptions,
  }: Replayed): Promise<Answer | undefined> {
    if (initialize === undefined) return undefined;
    const answer = await this.#ask(initialize);
    if (isInitialized) this.receive({ jsonrpc: '2.0', method: 'notifications/initialized' });
    if (logLevel !== undefined) await this.ask('logging/setLevel', { level: logLevel });
    for (const uri of subscriptions) await this.ask('resources/subscribe', { uri });
    return answer;
  }

  /** Asks the server; `undefined` where it is dropped first, or says nothing in time. */
  async ask(method: string, params: JSONRPCRequest['params']): Promise<Answer | undefined> {
    const over = new AbortController();
    const late = sleep(ASK_MS, undefined, { ref: false, signal: over.signal }).catch(
      () => undefined,
    );
    try {
      return await Promise.race([this.#ask({ jsonrpc: '2.0', id: 0, method, params }), late]);
    } finally {
      over.abort();
    }
  }

  /** Closes the server; its session is not told. */
  async drop(): Promise<void> {
    this.#isDropped = true;
    for (const settle of this.#replays.values()) settle();
    try {
      if (!this.#transport.isClosed) await this.#server.close();
    } finally {
      await this.#transport.close();
    }
  }

  #ask(message: JSONRPCRequest): Promise<Answer | undefined> {
    const id = `${REPLAY}${this.#replays.size}`;
    return new Promise((resolve) => {
      if (this.#isDropped) return resolve(undefined);
      this.#replays.set(id, resolve);
      this.receive({ ...message, id });
    });
  }

  #send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> | void {
    if (!('method' in message) && typeof message.id === 'string' && message.id.startsWith(REPLAY)) {
      this.#replays.get(message.id)?.(message);
      return undefined;
    }
    return this.#handlers.send(message, options);
  }
}
