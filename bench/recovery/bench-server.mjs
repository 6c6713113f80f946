import { Child } from '../calls/child.mjs';

const START_TIMEOUT_MS = 15_000;

/**
 * The server's process, as the measurements use it.
 *
 * @typedef {object} Counts what the server knows of a contender
 * @property {number} open streams that are open
 * @property {number} opened sessions that were ever opened
 * @property {number} peak the most calls that ran in one session at once
 */
export class BenchServer {
  #child;
  #origin;
  /** What the tool `large` returns. */
  large;

  /** @returns {Promise<BenchServer>} */
  static async start() {
    const child = new Child(new URL('./server.mjs', import.meta.url));
    const { origin, large } = await child.ask(undefined, START_TIMEOUT_MS);
    return new BenchServer(child, origin, large);
  }

  /**
   * @param {Child} child
   * @param {string} origin
   * @param {{ length: number, sha256: string }} large
   */
  constructor(child, origin, large) {
    this.#child = child;
    this.#origin = origin;
    this.large = large;
  }

  /**
   * Starts a contender in a process of its own, connected.
   *
   * @param {URL} process what takes its orders
   * @param {import('./contenders.mjs').Contender} contender
   * @returns {Promise<Child>}
   */
  async startContender(process, { id, module }) {
    const child = new Child(process, [module.href, `${this.#origin}/${id}/sse`]);
    await child.ask(undefined, START_TIMEOUT_MS).catch((error) => {
      child.kill();
      throw error;
    });
    return child;
  }

  /**
   * Cuts a contender's streams as soon as so many of its calls are running.
   *
   * @param {string} id
   * @param {number} running
   * @returns {Promise<string>} when, in nanoseconds of `process.hrtime`
   */
  async cut(id, running) {
    const { cutAtNs } = await this.#child.ask({ type: 'cut', name: id, running }, 15_000);
    return cutAtNs;
  }

  /** @param {string} id @returns {Promise<Counts>} */
  count(id) {
    return this.#child.ask({ type: 'count', name: id }, 15_000);
  }

  close() {
    return this.#child.close();
  }
}
