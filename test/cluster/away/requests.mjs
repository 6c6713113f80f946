import { createParser } from 'eventsource-parser';

const LEGACY = '2025-11-25';
const MODERN = '2026-07-28';
/** What takes longer hangs. */
export const PATIENCE_MS = 60_000;

/**
 * What one request got.
 *
 * @typedef {object} Got
 * @property {number} status 0: the connection broke, or nothing came in time
 * @property {number} ms until its answer was there, or it was known that none comes
 * @property {any} answer the JSON-RPC message that answers it, or the body
 * @property {string | undefined} session the id that it was given
 * @property {number} retryAfter in seconds; 0 if nothing was said
 * @property {string | undefined} lastEventId
 */

/**
 * @typedef {object} Message
 * @property {string | number} [id]
 * @property {string} method
 * @property {Record<string, any>} [params]
 */

/**
 * Posts a message of a session, or of none, and reads until its answer has come.
 *
 * @param {string} origin
 * @param {Message} message
 * @param {string} [session]
 * @returns {Promise<Got>}
 */
export function postLegacy(origin, message, session) {
  return request(`${origin}/mcp`, message.id, {
    method: 'POST',
    headers: {
      ...(session !== undefined && {
        'mcp-session-id': session,
        'mcp-protocol-version': LEGACY,
      }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
}

/**
 * Posts a message of 2026-07-28, of a client that takes tasks.
 *
 * @param {string} origin
 * @param {Message} message
 * @returns {Promise<Got>}
 */
export function postModern(origin, { method, params, ...rest }) {
  const name = params?.['taskId'] ?? params?.['name'];
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'trial', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {
      extensions: { 'io.modelcontextprotocol/tasks': {} },
    },
  };
  return request(`${origin}/mcp`, rest.id, {
    method: 'POST',
    headers: {
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(name !== undefined && { 'mcp-name': name }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...rest, method, params: { ...params, _meta } }),
  });
}

/** Opens a session at a node. @param {string} origin @returns {Promise<Got>} */
export async function openSession(origin) {
  const clientInfo = { name: 'trial', version: '1.0.0' };
  const params = { protocolVersion: LEGACY, capabilities: {}, clientInfo };
  const got = await postLegacy(origin, { id: 'initialize', method: 'initialize', params });
  if (got.session !== undefined && got.status === 200) {
    await postLegacy(origin, { method: 'notifications/initialized' }, got.session);
  }
  return got;
}

/**
 * Resumes a stream, and reads until the answer of this id has come.
 *
 * @param {string} origin
 * @param {string} session
 * @param {string} lastEventId
 * @param {string} id
 * @returns {Promise<Got>}
 */
export function resumeStream(origin, session, lastEventId, id) {
  const headers = { ...headersOf(session), 'last-event-id': lastEventId };
  return request(`${origin}/mcp`, id, { method: 'GET', headers });
}

/** @param {string} origin @param {string} session @returns {Promise<Got>} */
export function endSession(origin, session) {
  return request(`${origin}/mcp`, undefined, { method: 'DELETE', headers: headersOf(session) });
}

/** @param {string} url @returns {Promise<Got>} */
export const get = (url) => request(url, undefined, { method: 'GET', headers: {} });

/** @param {string} session */
export const headersOf = (session) => ({
  'mcp-session-id': session,
  'mcp-protocol-version': LEGACY,
});

/**
 * @param {string} url
 * @param {Message['id']} id of what is waited for; `undefined`: for the end of the body
 * @param {{ method: string, headers: Record<string, string>, body?: string }} init
 * @returns {Promise<Got>}
 */
async function request(url, id, init) {
  const beganAt = performance.now();
  const over = new AbortController();
  const late = setTimeout(() => over.abort(), PATIENCE_MS);
  /** @type {Got} */
  const got = {
    status: 0,
    ms: 0,
    answer: undefined,
    session: undefined,
    retryAfter: 0,
    lastEventId: undefined,
  };
  try {
    const response = await fetch(url, {
      ...init,
      headers: {
        accept: 'application/json, text/event-stream',
        ...(init.body !== undefined && { 'content-type': 'application/json' }),
        ...init.headers,
      },
      signal: over.signal,
    });
    const { headers } = response;
    got.status = response.status;
    got.session = headers.get('mcp-session-id') ?? undefined;
    got.retryAfter = Number(headers.get('retry-after') ?? 0);
    if (headers.get('content-type')?.startsWith('text/event-stream')) {
      await readEvents(response, id, got);
    } else {
      const text = await response.text();
      got.answer = text.startsWith('{') ? JSON.parse(text) : text;
    }
  } catch {
    // What is missing in it says what happened.
  } finally {
    clearTimeout(late);
    got.ms = performance.now() - beganAt;
    over.abort();
  }
  return got;
}

/** @param {Response} response @param {Message['id']} id @param {Got} got */
async function readEvents(response, id, got) {
  const parser = createParser({
    onEvent: (event) => {
      got.lastEventId = event.id ?? got.lastEventId;
      if (event.data === '') return;
      const message = JSON.parse(event.data);
      const isAccepted = message.method === 'notifications/subscriptions/acknowledged';
      if (isAccepted || ('id' in message && message.id === id)) got.answer = message;
    },
  });
  const text = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    parser.feed(text.decode(chunk, { stream: true }));
    if (got.answer !== undefined) return;
  }
}
