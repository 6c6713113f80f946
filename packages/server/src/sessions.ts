import type { FastifyReply, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { BufferBudget } from './buffer-budget.js';
import { makeServer } from './make-server.js';
import type { ResolvedSseOptions, ServableServer, SessionContext } from './options.js';
import { Session } from './session.js';

/** Why making a server is cancelled: its client left, or the mount closes. */
const UNWANTED = new Error('nobody waits for the server');

/** The result of opening a session: `full` for the mount, `address-full` for the client's address. */
export type Opening = 'opened' | 'full' | 'address-full';

/**
 * The address by which a client is counted. For IPv6 it is the /64 network, the smallest that is
 * assigned: a client can use any address in it.
 */
export function networkOf(ip: string): string {
  const [address = ''] = ip.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined)
    groups.push(...Array.from({ length: 8 - groups.length - rest.length }, () => '0'));
  return [...groups, ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16))
    .join(':');
}

/** The sessions of one mount. */
export class Sessions {
  /** Shared by every stream of the mount. */
  readonly budget: BufferBudget;
  readonly #options: ResolvedSseOptions;
  readonly #open = new Map<string, Session>();
  /** Sessions whose server is being made. */
  readonly #opening = new Set<AbortController>();
  /** How many sessions each address has, including those that are being opened. */
  readonly #ofAddress = new Map<string, number>();
  #isClosing = false;

  constructor(options: ResolvedSseOptions) {
    this.#options = options;
    this.budget = new BufferBudget(options);
  }

  /**
   * Makes a server and opens a session with it, unless there are too many or the client leaves.
   *
   * @param endpointOf the path of the `endpoint` event for a session's id.
   * @returns `opened` if the reply is the session's stream now, or why not.
   * @throws what the factory or the server's `connect` throws; Error if making the server takes too
   * long.
   */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    endpointOf: (id: string) => string,
  ): Promise<Opening> {
    if (this.#isClosing || this.#open.size + this.#opening.size >= this.#options.maxSessions) {
      return 'full';
    }
    // If the client left earlier, `close` was emitted already.
    if (reply.raw.destroyed) return 'full';
    const address = networkOf(request.ip);
    const held = this.#ofAddress.get(address) ?? 0;
    if (held >= this.#options.maxSessionsPerAddress) return 'address-full';
    this.#ofAddress.set(address, held + 1);
    let session: Session | undefined;
    const release = (): void => this.#release(address);
    try {
      session = await this.#make(request, reply, { endpointOf, onEnd: release });
    } finally {
      // A session that began releases its address when it ends.
      if (session === undefined) release();
    }
    if (session === undefined) return 'full';
    await session.start();
    return 'opened';
  }

  /** Makes a session that has not begun; undefined if nobody waits for it any more. */
  async #make(
    request: FastifyRequest,
    reply: FastifyReply,
    { endpointOf, onEnd }: { endpointOf: (id: string) => string; onEnd: () => void },
  ): Promise<Session | undefined> {
    const { budget } = this;
    const options = this.#options;
    const id = randomBytes(24).toString('base64url');
    const server = await this.#makeServer({ sessionId: id, request }, reply.raw);
    if (!server) return undefined;
    if (this.#isClosing || reply.raw.destroyed) {
      await server.close();
      return undefined;
    }
    const endpoint = endpointOf(id);
    const ended = (): void => {
      this.#open.delete(id);
      onEnd();
    };
    const made = { id, endpoint, server, request, reply, options, budget, onEnd: ended };
    const session = new Session(made);
    this.#open.set(id, session);
    return session;
  }

  #release(address: string): void {
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#ofAddress.set(address, left);
    else this.#ofAddress.delete(address);
  }

  /** The open session of this id. */
  get(id: string): Session | undefined {
    return this.#open.get(id);
  }

  /** Ends all sessions, and opens no more; fulfilled when they are closed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const attempt of this.#opening) attempt.abort(UNWANTED);
    await Promise.all([...this.#open.values()].map((session) => session.end('shutting-down')));
  }

  /** Makes a server; undefined if the client leaves or the mount closes first. */
  async #makeServer(
    context: SessionContext,
    response: ServerResponse,
  ): Promise<ServableServer | undefined> {
    const { createServer, createTimeoutMs } = this.#options;
    const attempt = new AbortController();
    const cancel = (): void => attempt.abort(UNWANTED);
    const expire = (): void =>
      attempt.abort(new Error(`createServer took over ${createTimeoutMs} ms (createTimeoutMs)`));
    const timer =
      createTimeoutMs === Infinity ? undefined : setTimeout(expire, createTimeoutMs).unref();
    response.once('close', cancel);
    this.#opening.add(attempt);
    try {
      return await makeServer(() => createServer(context), attempt.signal, context.request.log);
    } catch (error) {
      if (attempt.signal.reason === UNWANTED) return undefined;
      throw error;
    } finally {
      this.#opening.delete(attempt);
      response.off('close', cancel);
      clearTimeout(timer);
    }
  }
}
