/**
 * @typedef {object} Message one of JSON-RPC
 * @property {string} [jsonrpc]
 * @property {string | number | null} [id]
 * @property {string} [method]
 * @property {Record<string, unknown>} [params]
 * @property {Record<string, unknown>} [result]
 * @property {{ code?: unknown, message?: unknown, data?: unknown }} [error]
 */

export const LEGACY_VERSION = '2025-11-25';
export const MODERN_VERSION = '2026-07-28';

/** The tools of every server here. */
export const TOOLS = ['read', 'write'].map((name) => ({
  name,
  description: `The tool ${name}.`,
  inputSchema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
  annotations: { readOnlyHint: name === 'read' },
}));

/** What the call of a tool says. @param {string} tool @param {unknown} n */
export const textOf = (tool, n) => `${tool} ${String(n)}`;

/** The result of `initialize`. */
export const INITIALIZED = {
  protocolVersion: LEGACY_VERSION,
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'habits', version: '1.0.0' },
};

/** The result of `server/discover`. */
export const DISCOVERED = {
  resultType: 'complete',
  supportedVersions: [MODERN_VERSION],
  capabilities: { tools: {} },
  ttlMs: 0,
  cacheScope: 'private',
  _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'habits', version: '1.0.0' } },
};

/**
 * What a request is answered with. Tools run.
 *
 * @param {Message} message
 * @param {import('./server.mjs').HabitServer} server
 * @returns {Message}
 */
export function resultOf({ id = null, method, params }, { habit, runs }) {
  const isStateless = habit.speaks === 'stateless';
  /** @param {unknown} result */
  const answer = (result) => {
    const isPlain = !isStateless || typeof result !== 'object';
    return { jsonrpc: '2.0', id, result: isPlain ? result : { resultType: 'complete', ...result } };
  };
  const cached = isStateless && { ttlMs: 0, cacheScope: 'private' };
  switch (method) {
    case 'initialize':
      return answer(INITIALIZED);
    case 'server/discover':
      if (isStateless) return answer(DISCOVERED);
      break;
    case 'ping':
      return answer({});
    case 'tools/list':
      return answer(habit.list?.(TOOLS) ?? { tools: TOOLS, ...cached });
    case 'tools/call': {
      const { name, arguments: args } =
        /** @type {{ name: 'read' | 'write', arguments?: { n?: unknown } }} */ (params);
      runs[name] += 1;
      const text = textOf(name, args?.n);
      return answer(habit.result?.(text) ?? { content: [{ type: 'text', text }] });
    }
    default:
  }
  return { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } };
}

/** @param {string} text @returns {Message | undefined} undefined for what is no JSON */
export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
