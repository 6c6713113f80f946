import type { FastifyReply, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import type { ResolvedSseOptions, ServableServer, SessionContext } from './options.js';
import { Session } from './session.js';

/** The sessions of one mount. */
export class Sessions {
  readonly #options: ResolvedSseOptions;
  readonly #open = new Map<string, Session>();
  /** Sessions whose server is still being made. */
  #opening = 0;
  #isClosing = false;

  constructor(options: ResolvedSseOptions) {
    this.#options = options;
  }

  /**
   * Makes a server and opens a session with it, unless there are too many.
   *
   * @param endpointOf the path of the `endpoint` event for a session's id.
   * @returns whether the reply has become the session's stream.
   * @throws whatever the factory or the server's `connect` throws.
   */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    endpointOf: (id: string) => string,
  ): Promise<boolean> {
    if (this.#isClosing || this.#open.size + this.#opening >= this.#options.maxSessions) {
      return false;
    }
    const options = this.#options;
    const id = randomBytes(24).toString('base64url');
    const server = await this.#makeServer({ sessionId: id, request });
    if (this.#isClosing || reply.raw.destroyed) {
      await server.close();
      return false;
    }
    const endpoint = endpointOf(id);
    const onEnd = (): void => void this.#open.delete(id);
    const session = new Session({ id, endpoint, server, request, reply, options, onEnd });
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
    await Promise.all([...this.#open.values()].map((session) => session.end('shutting-down')));
  }

  async #makeServer(context: SessionContext): Promise<ServableServer> {
    this.#opening += 1;
    try {
      return await this.#options.createServer(context);
    } finally {
      this.#opening -= 1;
    }
  }
}
