import type { FastifyReply, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { BufferBudget } from './buffer-budget.js';
import { makeServer } from './make-server.js';
import type { ResolvedSseOptions, ServableServer, SessionContext } from './options.js';
import { Session } from './session.js';

/** Why a server is made no more: its client went, or the mount closes. */
const UNWANTED = new Error('nobody waits for the server');

/** The sessions of one mount. */
export class Sessions {
  /** Shared by every stream of the mount. */
  readonly budget: BufferBudget;
  readonly #options: ResolvedSseOptions;
  readonly #open = new Map<string, Session>();
  /** Sessions whose server is still being made. */
  readonly #opening = new Set<AbortController>();
  #isClosing = false;

  constructor(options: ResolvedSseOptions) {
    this.#options = options;
    this.budget = new BufferBudget(options);
  }

  /**
   * Makes a server and opens a session with it, unless there are too many or its client goes away.
   *
   * @param endpointOf the path of the `endpoint` event for a session's id.
   * @returns whether the reply has become the session's stream.
   * @throws whatever the factory or the server's `connect` throws; Error when making the server
   * takes too long.
   */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    endpointOf: (id: string) => string,
  ): Promise<boolean> {
    if (this.#isClosing || this.#open.size + this.#opening.size >= this.#options.maxSessions) {
      return false;
    }
    // Whoever went away before this has had its `close` already.
    if (reply.raw.destroyed) return false;
    const { budget } = this;
    const options = this.#options;
    const id = randomBytes(24).toString('base64url');
    const server = await this.#makeServer({ sessionId: id, request }, reply.raw);
    if (!server) return false;
    if (this.#isClosing || reply.raw.destroyed) {
      await server.close();
      return false;
    }
    const endpoint = endpointOf(id);
    const onEnd = (): void => void this.#open.delete(id);
    const session = new Session({ id, endpoint, server, request, reply, options, budget, onEnd });
    this.#open.set(id, session);
    await session.start();
    return true;
  }

  /** The open session of this id. */
  get(id: string): Session | undefined {
    return this.#open.get(id);
  }

  /** Ends all of them, and lets none begin; fulfilled when they are gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const attempt of this.#opening) attempt.abort(UNWANTED);
    await Promise.all([...this.#open.values()].map((session) => session.end('shutting-down')));
  }

  /** `undefined` when the client goes, or the mount closes, before there is a server. */
  async #makeServer(
    context: SessionContext,
    response: ServerResponse,
  ): Promise<ServableServer | undefined> {
    const { createServer, createTimeoutMs } = this.#options;
    const attempt = new AbortController();
    const giveUp = (): void => attempt.abort(UNWANTED);
    const expire = (): void =>
      attempt.abort(new Error(`createServer took over ${createTimeoutMs} ms (createTimeoutMs)`));
    const timer =
      createTimeoutMs === Infinity ? undefined : setTimeout(expire, createTimeoutMs).unref();
    response.once('close', giveUp);
    this.#opening.add(attempt);
    try {
      return await makeServer(() => createServer(context), attempt.signal, context.request.log);
    } catch (error) {
      if (attempt.signal.reason === UNWANTED) return undefined;
      throw error;
    } finally {
      this.#opening.delete(attempt);
      response.off('close', giveUp);
      clearTimeout(timer);
    }
  }
}
