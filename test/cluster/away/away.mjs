import { setTimeout as delay } from 'node:timers/promises';
import { eventSource } from '../chaos/clients/event-source.mjs';
import { startStage } from '../chaos/stage.mjs';
import { keysThatStay } from './keys.mjs';
import {
  endSession,
  get,
  openSession,
  postLegacy,
  postModern,
  resumeStream,
  PATIENCE_MS,
} from './requests.mjs';

/** @typedef {import('./requests.mjs').Got} Got */

/**
 * How Redis is away:
 *
 * - `silent`: it is stopped (SIGSTOP), so that connections stay open and nothing comes;
 * - `restarted`: it is killed, and has everything again from its disk;
 * - `emptied`: it is killed, and comes back without anything.
 *
 * @typedef {'silent' | 'restarted' | 'emptied'} Manner
 */

/** @type {readonly Manner[]} */
export const MANNERS = ['silent', 'restarted', 'emptied'];

/** What runs when Redis goes, and ends while it is away. */
const RUNNING_MS = 6_000;
/** How long a task runs that is made while it is away. */
const MADE_MS = 1_000;
/** Before it goes. */
const BEFORE_MS = 1_000;
/** When requests are sent while it is away. */
const ROUNDS_MS = [2_000, 11_000];
/** How long nodes may take to be ready again. */
const READY_MS = 30_000;

/**
 * What one kind of request got while Redis was away.
 *
 * @typedef {object} Row
 * @property {string} what
 * @property {Got[]} got in each round
 */

/**
 * Sends every kind of request while Redis is away, and looks whether all is well afterwards.
 *
 * @param {object} options
 * @param {Manner} options.manner
 * @param {number} [options.awayMs] default: 20 s
 * @param {number} [options.seed]
 */
export async function away({ manner, awayMs = 20_000, seed = 0 }) {
  const stage = await startStage({ seed, redis: { isPersistent: manner === 'restarted' } });
  try {
    return await new Trial(stage, manner, awayMs).run();
  } finally {
    await stage.stop();
  }
}

class Trial {
  /** @type {string[]} */
  violations = [];
  /** @type {Map<string, Got[]>} */
  #rows = new Map();
  /** Calls of tools, by their keys. @type {Map<string, Promise<Got>>} */
  #calls = new Map();
  #stage;
  #manner;
  #awayMs;

  /** @param {import('../chaos/stage.mjs').Stage} stage @param {Manner} manner @param {number} awayMs */
  constructor(stage, manner, awayMs) {
    this.#stage = stage;
    this.#manner = manner;
    this.#awayMs = awayMs;
  }

  /** @param {number} number @returns {string} */
  #origin(number) {
    const origin = this.#stage.nodes[number - 1]?.process.origin;
    if (origin === undefined) throw new Error(`node-${number} is not there`);
    return origin;
  }

  async run() {
    const { redis } = this.#stage;
    const [first, second, third] = [this.#origin(1), this.#origin(2), this.#origin(3)];
    const sessions = {
      called: await this.#opened(first),
      running: await this.#opened(first),
      left: await this.#opened(first),
    };
    const ended = [await this.#opened(first), await this.#opened(first)];
    const given = new AbortController();
    const stream = await eventSource({
      origin: first,
      name: 'stream',
      onRetry: () => {},
      onBreach: (what) => void this.violations.push(`stream: ${what}`),
      signal: given.signal,
    });
    // So that the other node knows where the session is.
    await this.#call('warm', second, sessions.called);

    const onOwner = this.#call('owner', first, sessions.running, RUNNING_MS);
    const onOther = this.#call('other', second, sessions.running, RUNNING_MS);
    const onStream = stream.call(callOf('stream', RUNNING_MS));
    const leftAt = await this.#leave(first, sessions.left, 'left');
    const task = await this.#task(first, 'task', RUNNING_MS);
    await delay(BEFORE_MS);

    const back = this.#takeAway(redis);
    /** @type {Promise<unknown>[]} */
    const sending = [];
    const wentAt = performance.now();
    for (const [round, atMs] of ROUNDS_MS.entries()) {
      await delay(atMs - (performance.now() - wentAt));
      const key = (/** @type {string} */ of) => `${of}-${round}`;
      const row = (/** @type {string} */ what, /** @type {Promise<Got>} */ getting) =>
        void sending.push(this.#note(what, getting));
      row('a new session: `initialize`', openSession(third));
      row('a new session: `GET /sse`', openStream(third));
      row('a call, on the owner of its session', this.#call(key('called'), first, sessions.called));
      row('a call, on another node', this.#call(key('called-other'), second, sessions.called));
      row('`tools/list`, on the owner', this.#list(first, sessions.called, key('list')));
      if (round === 0)
        row('a stream is resumed', resumeStream(second, sessions.left, leftAt, 'left'));
      row('`DELETE` of a session', endSession(first, String(ended[round])));
      row('2026-07-28: a call', this.#callModern(key('modern'), third));
      row('2026-07-28: a task is made', this.#makeTask(third, key('made'), MADE_MS));
      row('2026-07-28: `tasks/get`', getTask(second, task));
      row('2026-07-28: `subscriptions/listen`', listen(third));
      row('`/readyz`', get(`${first}/readyz`));
      row('`/healthz`', get(`${first}/healthz`));
    }
    await back;
    const cameBackAt = performance.now();
    await Promise.all(sending);
    await this.#note('a call that runs meanwhile, on the owner', onOwner);
    await this.#note('a call that runs meanwhile, on another node', onOther);
    const streamed = await onStream;
    if (streamed.is !== 'answered')
      this.violations.push(`the call on the stream: ${streamed.text}`);

    const readyMs = await this.#ready(cameBackAt);
    for (const [name, session] of Object.entries(sessions))
      await this.#answersEverywhere(name, session);
    const after = await stream.call(callOf('stream-after', 0));
    if (after.is !== 'answered') this.violations.push(`the stream, afterwards: ${after.text}`);
    given.abort();
    await stream.close();
    await this.#checkCalls();
    const staying = await keysThatStay(redis.url);
    for (const key of staying) this.violations.push(`a key without a time to live: ${key}`);
    return {
      rows: [...this.#rows].map(([what, got]) => ({ what, got })),
      violations: this.violations,
      readyMs,
      outputs: this.#stage.nodes.map(({ process }) => process.output()),
    };
  }

  /** @param {import('../chaos/stage.mjs').Stage['redis']} redis */
  async #takeAway(redis) {
    if (this.#manner === 'silent') redis.pause();
    else await redis.kill();
    await delay(this.#awayMs);
    if (this.#manner === 'silent') redis.resume();
    else await redis.start();
  }

  /** @param {string} what @param {Promise<Got>} getting */
  async #note(what, getting) {
    const got = await getting;
    this.#rows.set(what, [...(this.#rows.get(what) ?? []), got]);
    if (got.status === 0 || got.ms >= PATIENCE_MS) {
      this.violations.push(`${what}: ${got.ms >= PATIENCE_MS ? 'hung' : 'the connection broke'}`);
    }
    if (got.status === 503 && got.retryAfter === 0 && !what.startsWith('`/')) {
      this.violations.push(`${what}: 503 without Retry-After`);
    }
  }

  /** @param {string} origin */
  async #opened(origin) {
    const { session, status } = await openSession(origin);
    if (session === undefined) throw new Error(`no session: ${status}`);
    return session;
  }

  /** @param {string} key @param {string} origin @param {string} session @param {number} [ms] */
  #call(key, origin, session, ms = 0) {
    const message = { id: key, method: 'tools/call', params: paramsOf('pay', key, ms) };
    const getting = postLegacy(origin, message, session);
    this.#calls.set(key, getting);
    return getting;
  }

  /** @param {string} key @param {string} origin */
  #callModern(key, origin) {
    const getting = postModern(origin, {
      id: key,
      method: 'tools/call',
      params: paramsOf('pay', key, 0),
    });
    this.#calls.set(key, getting);
    return getting;
  }

  /** @param {string} origin @param {string} session @param {string} id */
  #list(origin, session, id) {
    return postLegacy(origin, { id, method: 'tools/list', params: {} }, session);
  }

  /** Begins a call, and leaves once its stream can be resumed. @param {string} origin @param {string} session @param {string} key */
  async #leave(origin, session, key) {
    const left = new AbortController();
    const response = await fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'mcp-session-id': session,
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: key,
        method: 'tools/call',
        params: paramsOf('pay', key, RUNNING_MS),
      }),
      signal: left.signal,
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { done: true };
      if (done) throw new Error('the stream has no event id');
      text += value;
      const id = /^id: (\S+)$/m.exec(text)?.[1];
      if (id === undefined) continue;
      reader?.cancel().catch(() => {});
      left.abort();
      return id;
    }
  }

  /** @param {string} origin @param {string} key @param {number} [ms] */
  #makeTask(origin, key, ms = 0) {
    const params = paramsOf('export', key, ms);
    const getting = postModern(origin, { id: key, method: 'tools/call', params });
    this.#calls.set(key, getting);
    return getting;
  }

  /** @param {string} origin @param {string} key @param {number} ms @returns {Promise<string>} */
  async #task(origin, key, ms) {
    const { answer } = await this.#makeTask(origin, key, ms);
    const taskId = answer?.result?.taskId;
    if (typeof taskId !== 'string') throw new Error(`no task: ${JSON.stringify(answer)}`);
    return taskId;
  }

  /** @param {number} since @returns {Promise<number>} when all nodes were ready again */
  async #ready(since) {
    for (;;) {
      const asked = await Promise.all([1, 2, 3].map((one) => get(`${this.#origin(one)}/readyz`)));
      const ms = performance.now() - since;
      if (asked.every(({ status }) => status === 200)) return ms;
      if (ms > READY_MS) {
        this.violations.push(`not ready ${READY_MS} ms after Redis was back`);
        return ms;
      }
      await delay(100);
    }
  }

  /** The same session answers on each node, or has ended on each. @param {string} name @param {string} session */
  async #answersEverywhere(name, session) {
    const statuses = [];
    for (const node of [1, 2, 3]) {
      const key = `after-${name}-${node}`;
      const { status, answer } = await this.#call(key, this.#origin(node), session);
      statuses.push(status === 200 && answer?.result === undefined ? 'error' : status);
    }
    const shown = statuses.join(', ');
    // Whoever lost all data may have lost a session, for everybody.
    const expected = this.#manner === 'emptied' && statuses[0] === 404 ? 404 : 200;
    if (statuses.some((status) => status !== expected)) {
      this.violations.push(`the session "${name}" afterwards, on each node: ${shown}`);
    }
  }

  /** What was answered ran once, and what was refused did not run. */
  async #checkCalls() {
    const journal = this.#stage.journal();
    for (const [key, getting] of this.#calls) {
      const { status, answer } = await getting;
      const runs = journal.get(key) ?? [];
      if (runs.length > 1) this.violations.push(`${key} ran ${runs.length} times`);
      if (status === 503 && runs.length > 0) this.violations.push(`${key} was refused, and ran`);
      const text = answer?.result?.content?.[0]?.text;
      if (text !== undefined && text !== `pay ${key} ${runs[0]?.run}`) {
        if (text !== `export ${key} ${runs[0]?.run}`) this.violations.push(`${key} got ${text}`);
      }
    }
  }
}

/** @param {string} name @param {string} key @param {number} ms */
function paramsOf(name, key, ms) {
  return { name, arguments: { key, ms, steps: ms === 0 ? 0 : 4 }, _meta: { progressToken: key } };
}

/** @param {string} key @param {number} ms @returns {import('../chaos/calls.mjs').Call} */
function callOf(key, ms) {
  return { key, tool: 'pay', args: { key, ms, steps: ms === 0 ? 0 : 4 }, isSafe: false };
}

/** @param {string} origin @param {string} taskId */
function getTask(origin, taskId) {
  return postModern(origin, { id: 'get', method: 'tasks/get', params: { taskId } });
}

/** @param {string} origin */
function listen(origin) {
  const params = { notifications: { toolsListChanged: true } };
  return postModern(origin, { id: 'listen', method: 'subscriptions/listen', params });
}

/** @param {string} origin @returns {Promise<Got>} */
async function openStream(origin) {
  const beganAt = performance.now();
  const over = new AbortController();
  const late = setTimeout(() => over.abort(), PATIENCE_MS);
  const got = {
    answer: undefined,
    session: undefined,
    lastEventId: undefined,
    retryAfter: 0,
    status: 0,
    ms: 0,
  };
  try {
    const { status, headers } = await fetch(`${origin}/sse`, { signal: over.signal });
    got.status = status;
    got.retryAfter = Number(headers.get('retry-after') ?? 0);
  } catch {
    // The status says it.
  }
  clearTimeout(late);
  over.abort();
  return { ...got, ms: performance.now() - beganAt };
}
