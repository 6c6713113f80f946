import { randomUUID } from 'node:crypto';
import { carryOut } from './workshop.mjs';

/**
 * @typedef {import('./workshop.mjs').Say} Say
 *
 * @typedef {import('./workshop.mjs').Shop & {
 *   protocolVersion: string,
 *   readySessions: number,
 *   tools: readonly object[],
 * }} Host
 */

/**
 * One session of a protocol with a handshake, on which it insists: whatever is asked before
 * `notifications/initialized` came is answered with an error.
 */
export class Session {
  id = randomUUID();
  /** @type {'new' | 'initializing' | 'ready'} */
  state = 'new';
  /** How often `initialize` was accepted. */
  initializes = 0;
  /** Methods that were asked for too early. @type {string[]} */
  tooEarly = [];
  #host;
  /** @type {Map<string | number, AbortController>} */
  #running = new Map();

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
  }

  end() {
    for (const stop of this.#running.values()) stop.abort();
  }

  /**
   * @param {any} message
   * @param {Say} say says what belongs to this message: its progress and its answer
   * @returns {Promise<void>} fulfilled when nothing more is to be said of it
   */
  async receive({ id, method, params = {} }, say) {
    if (method === undefined) return;
    if (method === 'notifications/initialized' && this.state === 'initializing') {
      this.state = 'ready';
      this.#host.readySessions += 1;
    } else if (method === 'notifications/cancelled') {
      this.#running.get(params.requestId)?.abort();
    } else if (id !== undefined) {
      await this.#answer({ id, method, params }, say);
    }
  }

  /** @param {{ id: string | number, method: string, params: any }} request @param {Say} say */
  async #answer({ id, method, params }, say) {
    const allowed = method === 'initialize' ? this.state === 'new' : this.state === 'ready';
    if (!allowed && method !== 'ping') {
      this.tooEarly.push(method);
      const message = `${method} is not allowed while the session is ${this.state}`;
      say({ id, error: { code: -32600, message } });
      return;
    }
    switch (method) {
      case 'initialize':
        this.state = 'initializing';
        this.initializes += 1;
        say({
          id,
          result: {
            protocolVersion: this.#host.protocolVersion,
            capabilities: { tools: { listChanged: true }, logging: {} },
            serverInfo: { name: 'hostile', version: '1.0.0' },
          },
        });
        break;
      case 'ping':
        say({ id, result: {} });
        break;
      case 'tools/list':
        say({ id, result: { tools: this.#host.tools } });
        break;
      case 'tools/call': {
        const stop = new AbortController();
        this.#running.set(id, stop);
        await carryOut(this.#host, { id, params }, { signal: stop.signal, say });
        this.#running.delete(id);
        break;
      }
      default:
        say({ id, error: { code: -32601, message: `no method ${method}` } });
    }
  }
}
