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
