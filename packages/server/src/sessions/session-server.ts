import type {
  JSONRPCErrorResponse,
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResultResponse,
  MessageExtraInfo,
  ScopeChallenge,
  TransportSendOptions,
} from '@modelcontextprotocol/server';
import { ServerInstance } from '../instances/server-instance.js';
import type { SessionEnd } from '../operate/observer.js';
import type { ServableServer } from '../options.js';
import type { MaybePromise, Principal } from '../principal.js';
import type { SessionRecord } from './session-store.js';

/** The session whose server it is. */
export interface ServedSession {
  readonly id: string;
  readonly record: SessionRecord;
  readonly isEnded: boolean;
  /** What the server says. */
  said(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> | undefined;
  /** A new server has answered `initialize` once more. */
  replayed(answer: JSONRPCResultResponse | JSONRPCErrorResponse): void;
  end(reason: SessionEnd): Promise<void>;
}

/** What makes the servers of sessions. */
export interface ServerMaker<Served> {
  makeServer(session: Served): Promise<ServableServer>;
}

/** The live server of a session: made when it is needed, dropped where the session hibernates or ends. */
export class SessionServer<Served extends ServedSession> {
  readonly #session: Served;
  readonly #maker: ServerMaker<Served>;
  #instance: ServerInstance | undefined;
  /** The instance that is being made. */
  #making: ServerInstance | undefined;
  #waking: Promise<ServerInstance> | undefined;
  /** Waits no longer for the first server. */
  #stopWaiting: (() => void) | undefined;

  constructor(session: Served, maker: ServerMaker<Served>) {
    this.#session = session;
    this.#maker = maker;
  }

  /** Whether it is made. */
  get isLive(): boolean {
    return this.#instance !== undefined;
  }

  /**
   * Makes the first one, but waits no longer than the session lives.
   *
   * @throws what the factory or the server's `connect` throws.
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => reject(new Error('the session has ended'));
      // Nothing of it is left: it would keep the server, also while the session hibernates.
      this.wake()
        .then(() => resolve(), reject)
        .finally(() => (this.#stopWaiting = undefined));
    });
  }

  /** The server as it is, or made again. */
  wake(): Promise<ServerInstance> {
    return (this.#waking ??= this.#make().catch((error: unknown) => {
      this.#waking = undefined;
      throw error;
    }));
  }

  /** Which scopes a request needs that its client does not have. */
  scopeChallengeOf(
    request: JSONRPCRequest,
    principal: Principal,
  ): MaybePromise<ScopeChallenge | undefined> {
    if (this.#instance !== undefined) return challengeBy(this.#instance, request, principal);
    return this.wake().then((made) => challengeBy(made, request, principal));
  }

  /** Passes a message of the client on, once there is a server. */
  receive(
    message: JSONRPCMessage,
    extra: MessageExtraInfo | undefined,
    fail: (error: unknown) => void,
  ): void {
    if (this.#instance !== undefined) this.#instance.receive(message, extra);
    else this.wake().then((instance) => instance.receive(message, extra), fail);
  }

  /** Drops it; the next message makes a new one. */
  async hibernate(): Promise<void> {
    const instance = this.#instance;
    this.#instance = undefined;
    this.#waking = undefined;
    await instance?.drop();
  }

  /** Drops it, also while it is made. */
  async drop(): Promise<void> {
    this.#stopWaiting?.();
    await (this.#instance ?? this.#making)?.drop();
    this.#instance = undefined;
  }

  async #make(): Promise<ServerInstance> {
    const session = this.#session;
    const server = await this.#maker.makeServer(session);
    const instance = new ServerInstance(session.id, server, {
      send: (message, options) => session.said(message, options),
      closed: () => void session.end('server-closed'),
    });
    if (session.isEnded) {
      await instance.drop();
      throw new Error('the session has ended');
    }
    this.#making = instance;
    try {
      await instance.connect();
      const answer = await instance.replay(session.record);
      if (answer !== undefined) session.replayed(answer);
      this.#instance = instance;
      return instance;
    } finally {
      this.#making = undefined;
    }
  }
}

function challengeBy(
  { transport: { scopeChallenge } }: ServerInstance,
  request: JSONRPCRequest,
  { authInfo }: Principal,
): MaybePromise<ScopeChallenge | undefined> {
  return scopeChallenge?.({ request, ...(authInfo !== undefined && { authInfo }) });
}
