import { fork } from 'node:child_process';

/**
 * @typedef {object} Failure
 * @property {string} name
 * @property {string | number} [code]
 * @property {string} [certainty]
 * @property {string} [cause] the name of what caused it
 * @property {string} message
 *
 * @typedef {object} Outcome how an order settled
 * @property {boolean} ok
 * @property {number} ms from the order to the end of it, seen by the client's process
 * @property {Failure} [error]
 * @property {'unsettled' | 'crashed'} [never] it did not settle: in time, or before the process died
 * @property {string} [text] the result's text, its first 200 characters
 * @property {number} [length] of the whole text
 * @property {number} [progress] how many progress notifications came
 * @property {string[]} [left] what was still open after closing
 * @property {number} [rssGrowthMiB]
 * @property {number} [droppedAnswers]
 * @property {number} [notifications]
 * @property {number} [toolsChanged] how often it was told that the tools are others now
 * @property {number} [tools] how many were listed
 *
 * @typedef {import('./clients/adapter.mjs').CallOptions & { abortAfterMs?: number }} CallOptions
 *
 * @typedef {object} Ending
 * @property {boolean} byItself whether the process ended without being killed
 * @property {number | null} code
 * @property {number} ms
 */

const PROCESS = new URL('./clients/process.mjs', import.meta.url);
const START_MS = 20_000;
/** No process lives longer than this. */
const LIFE_MS = 150_000;
const LEAVING_MS = 3000;
/** How long after its end the rest of what it wrote is read. */
const PIPE_MS = 200;

/** @type {Set<ClientProcess>} */
const running = new Set();

/** Ends every process at once. */
export async function killAllClients() {
  await Promise.all([...running].map((client) => client.kill()));
}

/** One client, driven from here. Nothing that is asked of it is ever rejected. */
export class ClientProcess {
  /** What nobody caught: rejections and exceptions. @type {Failure[]} */
  uncaught = [];
  /** The states that it told of. @type {string[]} */
  states = [];
  /** What it wrote to stderr. */
  errors = '';
  #child;
  #lastId = 0;
  /** @type {Map<number, (outcome: Omit<Outcome, 'ms'> & { ms?: number }) => void>} */
  #waiting = new Map();
  #transport;
  #ready;
  #exited;
  #hasExited = false;
  #killed = false;

  /**
   * @param {import('./clients.mjs').Client} client
   * @param {import('./clients/adapter.mjs').Transport} transport
   */
  constructor({ adapter, execPath, resolvedFrom }, transport) {
    this.#transport = transport;
    const options = { execPath, stdio: /** @type {any} */ (['ignore', 'ignore', 'pipe', 'ipc']) };
    this.#child = fork(PROCESS, [adapter.href, resolvedFrom], options);
    running.add(this);
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.errors = (this.errors + text).slice(-4000);
    });
    const killTimer = setTimeout(() => void this.kill(), LIFE_MS).unref();
    // What it has started and left behind may keep its pipe open for ever.
    this.#child.once('exit', () => setTimeout(() => this.#child.stderr?.destroy(), PIPE_MS));
    this.#exited = new Promise((resolve) => {
      // Its end alone would leave the pipes to it open.
      this.#child.once('close', (code) => {
        clearTimeout(killTimer);
        this.#hasExited = true;
        running.delete(this);
        for (const end of this.#waiting.values()) end(this.#ending());
        resolve(code);
      });
    });
    this.#ready = new Promise((resolve) => {
      const timer = setTimeout(resolve, START_MS);
      const done = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
      this.#child.once('close', done);
      this.#child.on('message', (/** @type {any} */ message) => {
        if (message.ready) done();
        else this.#receive(message);
      });
    });
  }

  /**
   * @param {import('./clients/adapter.mjs').Target} target
   * @param {import('./clients/adapter.mjs').ConnectOptions} [options]
   */
  create(target, options = {}) {
    const all = { ...options, transport: this.#transport };
    return this.#ask('create', { target, options: all }, START_MS);
  }

  /** @param {number} patienceMs @param {{ abortAfterMs?: number }} [options] */
  connect(patienceMs, { abortAfterMs } = {}) {
    return this.#ask('connect', { abortAfterMs }, patienceMs);
  }

  /** @param {number} patienceMs */
  listTools(patienceMs) {
    return this.#ask('listTools', {}, patienceMs);
  }

  /**
   * @param {string} tool
   * @param {import('./server/workshop.mjs').ToolArguments} args
   * @param {CallOptions} options
   * @param {number} patienceMs after this it counts as not settled
   */
  call(tool, args, options, patienceMs) {
    return this.#ask('call', { tool, args, options }, patienceMs);
  }

  stats() {
    return this.#ask('stats', {}, 10_000);
  }

  close() {
    return this.#ask('close', {}, 5000);
  }

  /** Lets the process end by itself. @returns {Promise<Ending>} */
  quit() {
    return this.#end('quit');
  }

  /** Lets the process end itself, whatever runs in it. @returns {Promise<Ending>} */
  exit() {
    return this.#end('exit');
  }

  /** Fulfilled when nothing of it is left. */
  async kill() {
    this.#killed = true;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** @param {'quit' | 'exit'} what @returns {Promise<Ending>} */
  async #end(what) {
    const startedAt = performance.now();
    let byItself = true;
    if (this.#child.connected) this.#child.send({ what });
    const timer = setTimeout(() => {
      byItself = false;
      void this.kill();
    }, LEAVING_MS);
    const code = await this.#exited;
    clearTimeout(timer);
    return { byItself, code, ms: performance.now() - startedAt };
  }

  /** @param {string} what @param {object} order @param {number} patienceMs @returns {Promise<Outcome>} */
  async #ask(what, order, patienceMs) {
    await this.#ready;
    if (this.#hasExited) return { ...this.#ending(), ms: 0 };
    const id = (this.#lastId += 1);
    return new Promise((resolve) => {
      const startedAt = performance.now();
      /** @param {Omit<Outcome, 'ms'> & { ms?: number }} outcome */
      const settle = (outcome) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve({ ms: performance.now() - startedAt, ...outcome });
      };
      const timer = setTimeout(() => settle({ ok: false, never: 'unsettled' }), patienceMs);
      this.#waiting.set(id, settle);
      this.#child.send({ ...order, what, id });
    });
  }

  /** What becomes of an order when the process has ended. */
  #ending() {
    /** @type {Outcome['never']} */
    const never = this.#killed ? 'unsettled' : 'crashed';
    return { ok: false, never };
  }

  /** @param {any} message */
  #receive(message) {
    if (message.uncaught) this.uncaught.push(message.uncaught);
    else if (message.state) this.states.push(message.state);
    else this.#waiting.get(message.id)?.(message);
  }
}
