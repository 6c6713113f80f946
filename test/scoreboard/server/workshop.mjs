/**
 * The tools that every hostile server has. Each execution is counted by the argument `key`, and the
 * answer names tool and key, so that no result can be taken for another's.
 */

/**
 * @typedef {object} ToolArguments
 * @property {string} key what its executions are counted by
 * @property {number} [ms] how long it works
 * @property {number} [everyMs] tells its progress that often
 * @property {number} [bytes] puts so many letters into the answer
 *
 * @typedef {(message: any) => void} Say says a message to the other side
 *
 * @typedef {object} Shop who has a workshop, and may answer calls in a way of its own
 * @property {Workshop} workshop
 * @property {((say: Say, answer: any) => void) | undefined} [answerCall]
 */

const inputSchema = {
  type: 'object',
  properties: {
    key: { type: 'string' },
    ms: { type: 'number' },
    everyMs: { type: 'number' },
    bytes: { type: 'number' },
  },
  required: ['key'],
};

/** @type {readonly { name: string, description: string, inputSchema: object, annotations?: object }[]} */
export const TOOLS = [
  { name: 'read', description: 'Reads.', inputSchema, annotations: { readOnlyHint: true } },
  { name: 'put', description: 'Puts.', inputSchema, annotations: { idempotentHint: true } },
  { name: 'write', description: 'Writes.', inputSchema },
  { name: 'slow', description: 'Works and tells its progress.', inputSchema },
];

/** The key of the call that every client makes at first: nothing goes wrong yet. */
export const CONTROL = 'control';

/** @param {string} tool @param {string} key */
export const answerOf = (tool, key) => `${tool} ${key}`;

/** Does the work of one server, whatever sessions it comes from. */
export class Workshop {
  /** While this is set, work is begun and its answer kept back. */
  holding = false;
  /** @type {Map<string, number>} */
  #executions = new Map();
  /** @type {(() => void)[]} */
  #held = [];

  /** How often the work with this key was begun. @param {string} key */
  executions(key) {
    return this.#executions.get(key) ?? 0;
  }

  /** Lets go of the answers that were kept back. */
  release() {
    this.holding = false;
    for (const go of this.#held.splice(0)) go();
  }

  /**
   * @param {string} tool
   * @param {ToolArguments} args
   * @param {{ signal: AbortSignal, onProgress?: (step: number) => void }} options
   * @returns {Promise<string | undefined>} the answer's text; undefined if it was stopped
   */
  async run(tool, { key, ms = 0, everyMs = 0, bytes = 0 }, { signal, onProgress }) {
    this.#executions.set(key, this.executions(key) + 1);
    let step = 0;
    const timer = everyMs > 0 ? setInterval(() => onProgress?.((step += 1)), everyMs) : undefined;
    try {
      if (this.holding) await stoppable((go) => this.#held.push(go), signal);
      if (ms > 0) await stoppable((go) => setTimeout(go, ms).unref(), signal);
    } finally {
      clearInterval(timer);
    }
    if (signal.aborted) return undefined;
    return bytes > 0 ? 'x'.repeat(bytes) : answerOf(tool, key);
  }
}

/** @param {(go: () => void) => void} start @param {AbortSignal} signal @returns {Promise<void>} */
function stoppable(start, signal) {
  return new Promise((resolve) => {
    start(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/**
 * Does what a `tools/call` asks for, and says its progress and its answer.
 *
 * @param {Shop} shop
 * @param {{ id: string | number, params: any }} request
 * @param {{ signal: AbortSignal, say: Say, dress?: (result: object) => object }} options `dress`
 *   adds what a version of the protocol wants of every result
 */
export async function carryOut(shop, { id, params }, { signal, say, dress = (result) => result }) {
  const progressToken = params._meta?.progressToken;
  const text = await shop.workshop.run(params.name, params.arguments ?? {}, {
    signal,
    onProgress: (progress) => {
      if (progressToken === undefined) return;
      say({ method: 'notifications/progress', params: { progressToken, progress } });
    },
  });
  if (text === undefined) return;
  const answer = { id, result: dress({ content: [{ type: 'text', text }] }) };
  if (shop.answerCall === undefined) say(answer);
  else shop.answerCall(say, answer);
}
