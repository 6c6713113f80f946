import { parseJson } from './messages.mjs';

/**
 * @typedef {import('./server.mjs').Incoming} Incoming
 * @typedef {import('./server.mjs').Reply} Reply
 * @typedef {import('./server.mjs').Rule} Rule
 * @typedef {import('./messages.mjs').Message} Message
 */

/** @type {Record<string, (incoming: Incoming) => boolean>} */
const WHEN = {
  any: () => true,
  request: ({ message }) => message?.method !== undefined && message.id !== undefined,
  notification: ({ message }) => message?.method !== undefined && message.id === undefined,
  /** Names a session that the server has lost. */
  gone: ({ server, headers, url, message }) => {
    const session = server.sessionOf({ headers, url });
    return session !== '' && !server.knows(session) && message?.method !== 'initialize';
  },
};

/**
 * When something comes, it is answered so. What comes is a word of `WHEN`, a method of HTTP, or one
 * of MCP.
 *
 * @param {string} what
 * @param {Rule['reply']} reply
 * @returns {Rule}
 */
export function on(what, reply) {
  /** @param {Incoming} incoming */
  const isMethod = ({ method, message }) => (message?.method ?? method) === what;
  return { what, when: WHEN[what] ?? isMethod, reply };
}

/** The usual reply, altered. @param {string} what @param {(reply: Reply, incoming: Incoming) => Reply} alter @returns {Rule} */
export const altered = (what, alter) => on(what, (incoming) => alter(incoming.usual(), incoming));

/** The answer of the server, otherwise told. @param {string} what @param {(answer: Message, incoming: Incoming) => Reply} tell @returns {Rule} */
export const told = (what, tell) =>
  altered(what, (reply, incoming) => {
    const [answer] = messagesIn(reply.body);
    if (answer === undefined || incoming.message?.id === undefined) return reply;
    const { headers = {}, ...rest } = tell(answer, incoming);
    const session = reply.headers?.['mcp-session-id'];
    return {
      ...rest,
      headers: session === undefined ? headers : { 'mcp-session-id': session, ...headers },
    };
  });

/** The first times otherwise. @param {string} what @param {number} times @param {Reply} reply @returns {Rule} */
export const firstTimes = (what, times, reply) =>
  on(what, (incoming) => (incoming.count < times ? reply : incoming.usual()));

/** @param {unknown} value @returns {Reply} */
export const json = (value) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

/** @param {string} body @returns {Reply} */
export const text = (body) => ({ headers: { 'content-type': 'text/plain' }, body });

/** @param {string} title @returns {Reply} */
export const page = (title) => ({
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`,
});

/** @param {string} body @param {Omit<Reply, 'body' | 'headers'>} [more] @returns {Reply} */
export const inStream = (body, more = {}) => ({
  headers: { 'content-type': 'text/event-stream' },
  body,
  ...more,
});

/** @param {number} status @param {Reply} [reply] @returns {Reply} */
export const status = (status, reply = {}) => ({ ...reply, status });

/** @param {unknown} message @param {string} [name] of the event */
export const event = (message, name = 'message') =>
  `event: ${name}\ndata: ${JSON.stringify(message)}\n\n`;

/** @type {Reply} */
export const SILENT = { isSilent: true };

/** @type {Reply} */
export const CUT = { isCut: true };

/**
 * @param {number} code
 * @param {string} message
 * @param {unknown} [id] default null
 * @param {unknown} [data]
 */
export const rpcError = (code, message, id = null, data) => ({
  jsonrpc: '2.0',
  error: { code, message, ...(data !== undefined && { data }) },
  id,
});

/** The error with the id of the request that it is the answer to. @param {number} code @param {string} message @param {unknown} [data] @returns {(incoming: Incoming) => Reply} */
export const errorReply =
  (code, message, data) =>
  ({ message: request }) =>
    json(rpcError(code, message, request?.id, data));

/** The messages that a body is made of. @param {Reply['body']} body @returns {Message[]} */
export function messagesIn(body) {
  if (typeof body !== 'string') return [];
  const lines = body.split(/\r?\n/);
  const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5));
  return [body, ...data]
    .map(parseJson)
    .filter((value) => value !== null && typeof value === 'object');
}

/** What a body says that was made at once. @param {Reply} reply */
export const textIn = ({ body }) => (typeof body === 'string' ? body : '');

/** The same without these properties. @param {...string} names @returns {(value: object) => Record<string, unknown>} */
export const without =
  (...names) =>
  (value) =>
    Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
