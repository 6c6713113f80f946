/**
 * The client of `cluster`: the fewest steps that make a call, so that what is measured is the servers'.
 * A session is opened on one node and used through another, or the same.
 */
import { Pool } from 'undici';

const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};
const VERSION = '2025-11-25';
/** @type {Map<string, Pool>} */
const pools = new Map();
let lastId = 0;

/**
 * @param {string} url
 * @param {unknown} message
 * @param {string} [session]
 */
async function post(url, message, session) {
  const { origin, pathname } = new URL(url);
  const pool = pools.get(origin) ?? new Pool(origin, { connections: 64 });
  pools.set(origin, pool);
  const { statusCode, headers, body } = await pool.request({
    method: 'POST',
    path: pathname,
    headers: {
      ...HEADERS,
      ...(session !== undefined && {
        'mcp-session-id': session,
        'mcp-protocol-version': VERSION,
      }),
    },
    body: JSON.stringify(message),
  });
  const text = await body.text();
  if (statusCode >= 300) throw new Error(`HTTP ${statusCode}: ${text.slice(0, 300)}`);
  return { headers, text };
}

/** @param {string} url @returns {Promise<string>} the id of the session */
async function open(url) {
  const { headers } = await post(url, {
    jsonrpc: '2.0',
    id: ++lastId,
    method: 'initialize',
    params: {
      protocolVersion: VERSION,
      capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } },
      clientInfo: { name: 'bench', title: 'A client of a benchmark', version: '1.0.0' },
    },
  });
  const session = String(headers['mcp-session-id']);
  await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
  return session;
}

/** @param {string} url @param {string} session @param {string} tool @param {string} text */
async function call(url, session, tool, text) {
  const id = ++lastId;
  const answer = await post(
    url,
    { jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: { text } } },
    session,
  );
  // As JSON, or as the data of an event.
  const data = answer.text.startsWith('{')
    ? answer.text
    : (/^data: (\{.*)$/m.exec(answer.text)?.[1] ?? '{}');
  const message = JSON.parse(data);
  if (message.id !== id || message.result?.content?.[0]?.text !== text) {
    throw new Error(`a wrong answer: ${answer.text.slice(0, 300)}`);
  }
}

/**
 * @typedef {object} Wanted
 * @property {'calls' | 'sessions'} kind
 * @property {string} opened where sessions are opened
 * @property {string} used where they are called
 * @property {string} tool
 * @property {number} count calls, or sessions
 * @property {number} atOnce how many are under way
 * @property {number} [bytes] of each call's text. Default 16.
 */

/** @param {Wanted} wanted */
async function sample({ kind, opened, used, tool, count, atOnce, bytes = 16 }) {
  const sessions =
    kind === 'sessions'
      ? []
      : await Promise.all(Array.from({ length: Math.min(atOnce, 16) }, () => open(opened)));
  for (const session of sessions) {
    // The node learns which tools only read.
    await post(used, { jsonrpc: '2.0', id: ++lastId, method: 'tools/list' }, session);
    await call(used, session, tool, 'first');
  }
  /** @type {number[]} */
  const latencies = [];
  let left = count;
  const before = process.cpuUsage();
  const beganAt = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async (_, at) => {
      const session = sessions[at % sessions.length] ?? '';
      while (left > 0) {
        const text = String(left--).padEnd(bytes, 'x');
        const sentAt = performance.now();
        if (kind === 'sessions') await open(opened);
        else await call(used, session, tool, text);
        latencies.push(performance.now() - sentAt);
      }
    }),
  );
  const tookMs = performance.now() - beganAt;
  const { user, system } = process.cpuUsage(before);
  return { tookMs, cpuMs: (user + system) / 1_000, latencies };
}

process.on('disconnect', () => process.exit());
process.on('message', (/** @type {any} */ wanted) => {
  sample(wanted).then(
    (told) => process.send?.(told),
    (error) => process.send?.({ error: String(error?.stack ?? error) }),
  );
});
process.send?.({ isReady: true });
