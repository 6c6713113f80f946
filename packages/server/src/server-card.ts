import {
  InMemoryTransport,
  LATEST_PROTOCOL_VERSION,
  type JSONRPCMessage,
} from '@modelcontextprotocol/server';
import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';
import { QUIET } from './http/quiet.js';
import type { Mount } from './mount.js';
import { ANONYMOUS } from './principal.js';

/** What a server says of itself in its answer to `initialize`. */
interface Introduced {
  readonly serverInfo?: object;
  readonly capabilities?: object;
  readonly instructions?: string;
}

/** `GET /server-card`: what the server is, and where it is reached. It lists no tools. */
export class ServerCard {
  readonly #mount: Mount;
  #introduced: Promise<Introduced> | undefined;

  constructor(mount: Mount) {
    this.#mount = mount;
  }

  register(fastify: FastifyInstance): void {
    fastify.get('/server-card', QUIET, async (request, reply) => {
      const [path = ''] = request.originalUrl.split('?');
      const base = path.slice(0, path.lastIndexOf('/'));
      const body = JSON.stringify({
        ...(await this.#introduce()),
        transports: [
          { type: 'streamable-http', url: `${base}/mcp` },
          { type: 'sse', url: `${base}/sse` },
        ],
      });
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
      void reply.header('etag', etag).header('cache-control', 'no-cache');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type('application/json').send(body);
    });
  }

  /** Asks a server of its own, once. */
  #introduce(): Promise<Introduced> {
    this.#introduced ??= this.#ask().catch((error: unknown) => {
      this.#introduced = undefined;
      throw error;
    });
    return this.#introduced;
  }

  async #ask(): Promise<Introduced> {
    const { create, requestStates } = this.#mount.options;
    const ended = new AbortController();
    const server = await create({
      principal: ANONYMOUS,
      headers: {},
      sessionId: undefined,
      signal: ended.signal,
      era: 'legacy',
      requestState: requestStates(() => ANONYMOUS.id),
    });
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    try {
      const answered = new Promise<Introduced>((resolve) => {
        ours.onmessage = (message: JSONRPCMessage) => {
          if ('result' in message) resolve(message.result as Introduced);
        };
      });
      await server.connect(theirs);
      await ours.start();
      await ours.send({
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: {
          protocolVersion: LATEST_PROTOCOL_VERSION,
          capabilities: {},
          clientInfo: { name: 'server-card', version: '1' },
        },
      });
      const { serverInfo, capabilities, instructions } = await answered;
      return {
        ...(serverInfo !== undefined && { serverInfo }),
        ...(capabilities !== undefined && { capabilities }),
        ...(instructions !== undefined && { instructions }),
      };
    } finally {
      ended.abort();
      await server.close();
    }
  }
}
