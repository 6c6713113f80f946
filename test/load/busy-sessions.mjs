import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../../bench/report/statistics.mjs';
import { STEPS } from './ten-tools.mjs';

/** Between two calls of a session, on average. */
const PAUSE_MS = 400;

/** @typedef {import('./sse-session.mjs').SseSession | import('./streamable-session.mjs').StreamableSession} Session */

/** Sessions that call a tool with progress, one call after the other. */
export class BusySessions {
  #sessions;
  /** @type {number[]} */
  #latenciesMs = [];
  /** @type {string[]} */
  #broken = [];
  #isStopping = false;
  /** @type {Promise<void>[]} */
  #running = [];

  /** @param {readonly Session[]} sessions */
  constructor(sessions) {
    this.#sessions = sessions;
  }

  start() {
    this.#isStopping = false;
    this.#running = this.#sessions.map((session, number) => this.#run(session, number));
  }

  /** What was measured since it was asked before. */
  report() {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    const report = {
      calls: sorted.length,
      broken: this.#broken,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
    };
    this.#latenciesMs = [];
    this.#broken = [];
    return report;
  }

  /** Waits for the calls in flight. */
  async stop() {
    this.#isStopping = true;
    await Promise.all(this.#running);
  }

  /** @param {Session} session @param {number} number */
  async #run(session, number) {
    await delay(Math.random() * PAUSE_MS);
    for (let count = 1; !this.#isStopping; count++) {
      const key = `${number}-${count}`;
      const wrong = await this.#call(session, key).catch((error) => String(error));
      if (wrong !== undefined) this.#broken.push(`${key}: ${wrong}`);
      await delay(PAUSE_MS * (0.5 + Math.random()));
    }
  }

  /**
   * @param {Session} session
   * @param {string} key
   * @returns {Promise<string | undefined>} what was wrong
   */
  async #call(session, key) {
    /** @type {unknown[]} */
    const steps = [];
    session.onNotification(({ method, params }) => {
      if (method === 'notifications/progress')
        steps.push(`${params.progressToken}:${params.progress}`);
    });
    const startedAt = performance.now();
    const answer = await session.ask({
      jsonrpc: '2.0',
      id: key,
      method: 'tools/call',
      params: { name: 'count', arguments: { key }, _meta: { progressToken: key } },
    });
    this.#latenciesMs.push(performance.now() - startedAt);
    if (answer.lost) return 'no answer';
    const said = answer.result?.content?.[0]?.text;
    if (said !== `counted ${key}`) return `answered ${JSON.stringify(answer).slice(0, 200)}`;
    const wanted = Array.from({ length: STEPS }, (_, step) => `${key}:${step + 1}`);
    return steps.join() === wanted.join() ? undefined : `progress ${steps.join() || 'missing'}`;
  }
}
