/**
 * The bare server with one `McpServer` of the SDK 2.x for each session: what nobody who serves
 * sessions with the SDK gets around.
 */
import { McpServer } from '@modelcontextprotocol/server';
import { SERVER_INFO } from '../tools.mjs';
import { startBareHttp } from './bare-http.mjs';
import { withTools } from './official-tools.mjs';

/** The least that a `McpServer` can be connected to. */
class BareTransport {
  /** @type {((message: any) => void) | undefined} */
  onmessage;
  /** @type {(() => void) | undefined} */
  onclose;
  #say;
  /** @type {Map<string | number, (answer: object) => void>} */
  #waiting = new Map();

  /** @param {(message: object) => void} say */
  constructor(say) {
    this.#say = say;
  }
  async start() {}
  /** @param {any} message */
  async send(message) {
    const reply = message.method === undefined ? this.#waiting.get(message.id) : undefined;
    if (reply === undefined) {
      this.#say(message);
    } else {
      this.#waiting.delete(message.id);
      reply(message);
    }
  }
  async close() {
    this.onclose?.();
  }
  /** @param {any} message @param {(answer: object) => void} reply */
  receive(message, reply) {
    if (message.id !== undefined && message.method !== undefined) {
      this.#waiting.set(message.id, reply);
    }
    this.onmessage?.(message);
  }
}

/** @type {import('../server-process.mjs').Start} */
export async function start({ transport }) {
  /** @type {Set<McpServer>} */
  const servers = new Set();
  const { origin } = await startBareHttp(
    (say) => {
      const server = withTools(new McpServer(SERVER_INFO));
      const channel = new BareTransport(say);
      servers.add(server);
      // What `connect` does, it does at once: the transport has nothing to wait for.
      void server.connect(/** @type {any} */ (channel));
      return {
        receive: (message, reply) => channel.receive(message, reply),
        close: () => {
          servers.delete(server);
          void server.close();
        },
      };
    },
    () => {
      throw new Error('it has no server without a session');
    },
  );
  return {
    url: origin + (transport === 'sse' ? '/sse' : '/mcp'),
    broadcast: () => {
      for (const server of servers) server.sendToolListChanged();
    },
  };
}
