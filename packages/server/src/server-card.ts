import {
  InMemoryTransport,
  LATEST_PROTOCOL_VERSION,
  type JSONRPCMessage,
} from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import { QUIET } from './http/quiet.js';
import { forwardedPrefix, requestPath } from './request-path.js';
import type { Mount } from './mount.js';
import type { ServableServer } from './options.js';
import { NO_SERVER, refuse } from './refusal.js';
import { makeServer } from './instances/make-server.js';

/** What a server says of itself in its answer to `initialize`. */
interface Introduced {
  readonly serverInfo?: object;
  readonly capabilities?: object;
  readonly instructions?: string;
}

/** How many principals' cards are kept. */
const MAX_CARDS = 100;

/** `GET /server-card`: what the server is, and where it is reached. It lists no tools. */
export class ServerCard {
  readonly #mount: Mount;
  /** By principal: a factory may make another server for each. */
  readonly #cards = new LRUCache<string, Promise<Introduced>>({ max: MAX_CARDS });

  constructor(mount: Mount) {
    this.#mount = mount;
  }

  register(fastify: FastifyInstance): void {
    fastify.get('/server-card', QUIET, async (request, reply) => {
      let introduced: Introduced;
      try {
        introduced = await this.#introduce(request);
      } catch (error) {
        request.log.error(error, 'the server of a card could not be made');
        return refuse(reply, NO_SERVER);
      }
      const base = forwardedPrefix(request) + requestPath(request).replace(/\/[^/]*\/*$/, '');
      const body = JSON.stringify({
        ...introduced,
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

  /** Asks a server of its own, once for each principal. */
  #introduce(request: FastifyRequest): Promise<Introduced> {
    const { id } = this.#mount.principalOf(request);
    const known = this.#cards.get(id);
    if (known !== undefined) return known;
    const asked = this.#ask(request);
    this.#cards.set(id, asked);
    asked.catch(() => this.#cards.delete(id));
    return asked;
  }

  async #ask(request: FastifyRequest): Promise<Introduced> {
    const { create, createTimeoutMs, requestStates } = this.#mount.options;
    const principal = this.#mount.principalOf(request);
    const ended = new AbortController();
    const { signal } = ended;
    const context = {
      principal,
      headers: request.headers,
      sessionId: undefined,
      signal,
      era: 'legacy',
      requestState: requestStates(() => principal.id),
    } as const;
    let introduced: Introduced = {};
    const make = async (): Promise<ServableServer> => {
      const server = await create(context);
      try {
        introduced = await introductionOf(server, signal);
      } finally {
        await server.close();
      }
      return server;
    };
    try {
      await makeServer(make, { signal, timeoutMs: createTimeoutMs, log: request.log });
      return introduced;
    } finally {
      ended.abort();
    }
  }
}

/**
 * What a server answers to `initialize`.
 *
 * @throws Error if it answers with an error, or the signal is aborted first.
 */
async function introductionOf(server: ServableServer, signal: AbortSignal): Promise<Introduced> {
  signal.throwIfAborted();
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  const answered = new Promise<Introduced>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('nobody waits for the card')));
    ours.onmessage = (message: JSONRPCMessage) => {
      if ('result' in message) resolve(message.result as Introduced);
      else if ('error' in message) reject(new Error(message.error.message));
    };
  });
  // It may fail while the server still connects.
  answered.catch(() => {});
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
}
