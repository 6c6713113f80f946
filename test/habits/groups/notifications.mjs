import {
  CUT,
  event,
  inStream,
  json,
  on,
  page,
  rpcError,
  SILENT,
  status,
  text,
} from '../replies.mjs';

/**
 * @typedef {import('../server.mjs').Habit} Habit
 * @typedef {import('../server.mjs').Rule} Rule
 */

/** @param {string} name @param {Rule['reply']} reply @param {Partial<Habit>} [more] @returns {Habit} */
const toNotification = (name, reply, more = {}) => ({
  name: `answers a notification ${name}`,
  rules: [on('notification', reply)],
  ...more,
});

/** @type {Habit[]} */
export const notifications = [
  toNotification(
    'with 200 and an empty body',
    {},
    { seen: 'https://github.com/helidon-io/helidon-mcp/issues/175' },
  ),
  toNotification('with 204', status(204), {
    seen: 'https://github.com/modelcontextprotocol/rust-sdk/pull/497',
  }),
  toNotification('with 201', status(201)),
  toNotification('with 202 and a text', status(202, text('Accepted')), {
    seen: 'https://github.com/modelcontextprotocol/java-sdk/issues/748',
  }),
  toNotification('with 202 and a page of HTML', status(202, page('Accepted'))),
  toNotification('with 202 and `{}`', status(202, json({}))),
  toNotification('with 200 and `{}`', json({})),
  toNotification('with 200 and `null`', json(null)),
  toNotification('with 200 and the text "OK"', text('OK')),
  toNotification('with 200 and a page of HTML', page('OK')),
  toNotification('with 200 and a result without an id', json({ jsonrpc: '2.0', result: {} }), {
    seen: 'https://github.com/modelcontextprotocol/ruby-sdk/pull/84',
  }),
  toNotification(
    'with 200 and a result with `id: null`',
    json({ jsonrpc: '2.0', id: null, result: null }),
  ),
  toNotification(
    'with 200 and a result with `id: ""`',
    json({ jsonrpc: '2.0', id: '', result: {} }),
  ),
  toNotification(
    'with 200 and the error -32601',
    json(rpcError(-32601, 'Method not found: notifications/initialized')),
  ),
  toNotification('with 400', status(400, json(rpcError(-32600, 'Invalid Request')))),
  toNotification('with 404', status(404)),
  toNotification('with 405', status(405)),
  toNotification('with 500', status(500, text('Internal Server Error'))),
  toNotification('with an event stream that ends', inStream('')),
  toNotification(
    'with an event stream that stays open',
    inStream(': hello\n\n', { staysOpen: true }),
  ),
  toNotification(
    'with an event that is a result',
    inStream(event({ jsonrpc: '2.0', id: null, result: {} })),
  ),
  toNotification('with a redirect to its start page', { status: 302, headers: { location: '/' } }),
  toNotification('by breaking the connection off', CUT),
  toNotification('with nothing at all', SILENT),
];

/** @param {string} name @param {Rule['reply']} reply @param {Partial<Habit>} [more] @returns {Habit} */
const toGet = (name, reply, more = {}) => ({
  name: `answers GET ${name}`,
  rules: [on('GET', reply)],
  ...more,
});

/** @type {Habit[]} */
export const get = [
  ...[400, 401, 402, 403, 404, 405, 406, 409, 410, 426, 429, 500, 501, 502, 503].map((code) =>
    toGet(`with ${code}`, status(code), {
      ...(code === 404 && {
        seen: 'https://github.com/modelcontextprotocol/typescript-sdk/issues/1635',
      }),
    }),
  ),
  toGet('with 200 and a page of HTML', page('Documentation')),
  toGet('with 200 and JSON', json({ status: 'ok' })),
  toGet('with 200 and an empty body', {}),
  toGet('with 200 and a text', text('MCP server is running')),
  toGet('with 204', status(204)),
  toGet('with a redirect to its documentation', { status: 302, headers: { location: '/docs' } }),
  toGet('with an event stream that ends at once', inStream('')),
  toGet('with an event stream that has `retry: 0` and ends', inStream('retry: 0\n\n')),
  toGet(
    'with an event stream that names an endpoint, as of 2024',
    inStream('event: endpoint\ndata: /mcp\n\n', { staysOpen: true }),
  ),
  toGet('by breaking the connection off', CUT),
  toGet('with nothing at all', SILENT),
];
