import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../../bench/calls/child.mjs';

/** How long one step may take. */
const STEP_MS = 200_000;

/**
 * @typedef {{ instances: number, rssBytes: number, heapBytes: number }} Measured
 * @typedef {{ p50Ms: number, p99Ms: number, maxMs: number }} LoopDelay
 */

/** A server, and the process of its clients. */
export class Trial {
  #server;
  #clients;
  /** @type {string} */
  sseUrl;

  /** @param {Child} server @param {Child} clients @param {{ sseUrl: string }} urls */
  constructor(server, clients, { sseUrl }) {
    this.#server = server;
    this.#clients = clients;
    this.sseUrl = sseUrl;
  }

  /** @param {import('./kit.mjs').KitOptions} options */
  static async start(options) {
    const execArgv = ['--expose-gc'];
    const args = [JSON.stringify(options)];
    const server = new Child(new URL('./server.mjs', import.meta.url), args, { execArgv });
    const urls = await server.ask(undefined, STEP_MS);
    const clientOptions = JSON.stringify({ ...urls, heartbeatMs: options.heartbeatMs });
    const clients = new Child(new URL('./clients.mjs', import.meta.url), [clientOptions]);
    return new Trial(server, clients, urls);
  }

  /**
   * @param {string} action
   * @param {object} argument
   * @returns {Promise<any>}
   */
  clients(action, argument = {}) {
    return this.#clients.ask({ action, ...argument }, STEP_MS);
  }

  /** What the server holds, garbage aside. @returns {Promise<Measured>} */
  measure() {
    return this.#server.ask('measure', STEP_MS);
  }

  /** How late the server was since this was asked before. @returns {Promise<LoopDelay>} */
  loopDelay() {
    return this.#server.ask('delay', STEP_MS);
  }

  /**
   * Waits until the server has no session more.
   *
   * @param {number} limitMs
   * @returns {Promise<{ left: number, tookMs: number }>} how many are left at the limit
   */
  async untilEmpty(limitMs) {
    const startedAt = performance.now();
    for (;;) {
      const { instances } = await this.#server.ask('count', STEP_MS);
      const tookMs = performance.now() - startedAt;
      if (instances === 0 || tookMs > limitMs) return { left: instances, tookMs };
      await delay(500);
    }
  }

  async close() {
    await Promise.all([this.#clients.close(), this.#server.close()]);
  }
}
