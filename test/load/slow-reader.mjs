import { setTimeout as delay } from 'node:timers/promises';

/** Between two calls whose answers nobody reads. */
const PAUSE_MS = 50;

/** Calls for long answers without reading them, until the server has had enough. */
export class SlowReader {
  calls = 0;
  /** @type {string | undefined} */
  refusedWith;
  #session;
  #isStopping = false;
  /** @type {Promise<void>} */
  #running = Promise.resolve();

  /** @param {import('./sse-session.mjs').SseSession} session */
  constructor(session) {
    this.#session = session;
  }

  start() {
    this.#session.stopReading();
    this.#running = this.#run();
  }

  async stop() {
    this.#isStopping = true;
    await this.#running;
    this.#session.drop();
  }

  async #run() {
    while (!this.#isStopping && this.refusedWith === undefined) {
      const id = `big-${++this.calls}`;
      const params = { name: 'big', arguments: { key: id } };
      try {
        await this.#session.tell({ jsonrpc: '2.0', id, method: 'tools/call', params });
      } catch (error) {
        this.refusedWith = String(error);
      }
      await delay(PAUSE_MS);
    }
  }
}
