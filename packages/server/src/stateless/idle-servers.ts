import type { McpServer, Server } from '@modelcontextprotocol/server';

/** A server, and what it serves at the moment. */
export interface Served<Exchange> {
  readonly server: McpServer | Server;
  exchange: Exchange;
}

/** The most servers that wait for a request. */
const MAX_IDLE = 64;

/**
 * Servers between two stateless requests. Making one with all its tools takes several times as long as a
 * call. A server serves one request at a time, and is closed after each.
 *
 * It is only for programs that say so: their servers keep nothing of a request. A server that has an
 * `onclose` of its own is not kept, for it may free what it needs.
 */
export class IdleServers<Exchange> {
  readonly #idle: Served<Exchange>[] = [];

  /** One that is free, for this exchange. */
  take(exchange: Exchange): McpServer | Server | undefined {
    const served = this.#idle.pop();
    if (served === undefined) return undefined;
    served.exchange = exchange;
    return served.server;
  }

  /**
   * Keeps a server from its next close on, where that exchange was answered: else its tool may still run,
   * and would speak to the next client.
   */
  keep(served: Served<Exchange>, isAnswered: (exchange: Exchange) => boolean): void {
    const { server } = served;
    const inner = 'server' in server ? server.server : server;
    if (inner.onclose !== undefined) return;
    inner.onclose = () => {
      if (isAnswered(served.exchange) && this.#idle.length < MAX_IDLE) this.#idle.push(served);
    };
  }
}
