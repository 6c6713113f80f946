import {
  altered,
  CUT,
  event,
  firstTimes,
  inStream,
  json,
  on,
  page,
  errorReply,
  rpcError,
  SILENT,
  status,
  text,
  textIn,
  told,
  without,
} from '../replies.mjs';

/**
 * @typedef {import('../server.mjs').Habit} Habit
 * @typedef {import('../server.mjs').Rule} Rule
 * @typedef {import('../server.mjs').Incoming} Incoming
 */

/** @param {string} name @param {Rule['reply']} reply @param {Partial<Habit>} [more] @returns {Habit} */
const toDiscover = (name, reply, more = {}) => ({
  name: `answers \`server/discover\` ${name}`,
  rules: [on('server/discover', reply)],
  ...more,
});

/** @param {unknown} result */
const withResult =
  (result) =>
  (/** @type {Incoming} */ { message }) =>
    json({ jsonrpc: '2.0', id: message?.id, result });

/** What the official server in Go says. */
const OLDER = {
  supportedVersions: ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
  capabilities: { tools: {} },
  serverInfo: { name: 'habits', version: '1.0.0' },
};

/** Servers of before 2026, and what they say to the first question of the newest protocol. @type {Habit[]} */
export const discover = [
  toDiscover('with 200 and the error -32601', errorReply(-32601, 'Method not found')),
  toDiscover('with 404 and the error -32601', (incoming) =>
    status(404, errorReply(-32601, 'Method not found')(incoming)),
  ),
  toDiscover('with 200 and the error -32600', errorReply(-32600, 'Invalid Request')),
  toDiscover('with 200 and the error -32602', errorReply(-32602, 'Invalid request parameters')),
  toDiscover('with 200 and the error -32603', errorReply(-32603, 'Internal error')),
  toDiscover(
    'with 200 and the error -32002, "Server not initialized"',
    errorReply(-32002, 'Server not initialized'),
  ),
  toDiscover(
    'with 200 and the error -32000, without an id',
    json(rpcError(-32000, 'Invalid session')),
  ),
  toDiscover('with versions of before 2026 alone, as the Go SDK does', withResult(OLDER)),
  toDiscover('with a result that is empty', withResult({})),
  toDiscover(
    'with versions that are no list',
    withResult({ ...OLDER, supportedVersions: '2025-11-25' }),
  ),
  toDiscover('with the error -32022 and older versions', (incoming) =>
    status(
      400,
      errorReply(-32022, 'Unsupported protocol version', { supported: ['2025-11-25'] })(incoming),
    ),
  ),
  ...[
    400, 401, 403, 404, 405, 406, 409, 411, 413, 415, 418, 422, 426, 428, 429, 500, 501, 502, 503,
    504,
  ].map((code) => toDiscover(`with ${code} and an empty body`, status(code))),
  toDiscover('with 401 and `WWW-Authenticate`', {
    status: 401,
    headers: { 'www-authenticate': 'Bearer' },
  }),
  toDiscover('with 403 and a page of HTML', status(403, page('Forbidden'))),
  toDiscover('with 200 and a page of HTML', page('Welcome')),
  toDiscover('with 200 and an empty body', {}),
  toDiscover('with 200 and the text "ok"', text('ok')),
  toDiscover('with 202 and an empty body', status(202)),
  toDiscover('with 204', status(204)),
  toDiscover('with an event stream that ends without an answer', inStream(': nothing\n\n')),
  toDiscover(
    'with an event stream that stays open without an answer',
    inStream(': nothing\n\n', { staysOpen: true }),
  ),
  toDiscover('with the answer to another id', json({ jsonrpc: '2.0', id: 4711, result: OLDER })),
  toDiscover('by breaking the connection off', CUT),
  toDiscover('with nothing at all', SILENT),
  toDiscover('with a redirect to its start page', { status: 302, headers: { location: '/' } }),
];

/** @param {string} name @param {(result: Record<string, unknown>) => unknown} alter @param {Partial<Habit>} [more] @returns {Habit} */
const initialized = (name, alter, more = {}) => ({
  name,
  rules: [told('initialize', (answer) => json({ ...answer, result: alter(answer.result) }))],
  ...more,
});

/** @param {string} id @param {string} name @returns {Habit} */
const sessionId = (name, id) => ({
  name,
  rules: [
    on('initialize', ({ server, message }) => {
      server.openSession(id);
      return server.answer(/** @type {import('../messages.mjs').Message} */ (message), {
        'mcp-session-id': id,
      });
    }),
    ...(id === ''
      ? [
          on('GET', status(405)),
          on('notification', status(202)),
          on('request', (/** @type {Incoming} */ { server, message }) =>
            server.answer(/** @type {import('../messages.mjs').Message} */ (message)),
          ),
        ]
      : []),
  ],
});

/** @param {readonly string[]} supported @param {string} message @param {unknown} [data] */
const onlyOlder = (supported, message, data) =>
  on('initialize', (incoming) => {
    const version = String(incoming.message?.params?.['protocolVersion']);
    if (!supported.includes(version))
      return status(400, errorReply(-32602, message, data)(incoming));
    const reply = incoming.usual();
    return { ...reply, body: textIn(reply).replace('2025-11-25', version) };
  });

/** @type {Habit[]} */
export const initialize = [
  ...['2025-06-18', '2025-03-26', '2024-11-05'].map((protocolVersion) =>
    initialized(`answers \`initialize\` with version ${protocolVersion}`, (result) => ({
      ...result,
      protocolVersion,
    })),
  ),
  initialized(
    'answers `initialize` with a version that nobody knows',
    (result) => ({ ...result, protocolVersion: '2031-01-01' }),
    { says: /2031-01-01/ },
  ),
  initialized('leaves the version out', without('protocolVersion'), {
    says: /version/i,
  }),
  initialized('leaves `capabilities` out', without('capabilities')),
  initialized('says `capabilities: null`', (result) => ({ ...result, capabilities: null })),
  initialized('says `capabilities: []`, as PHP does', (result) => ({
    ...result,
    capabilities: [],
  })),
  initialized('says `capabilities: { tools: [] }`, as PHP does', (result) => ({
    ...result,
    capabilities: { tools: [] },
  })),
  initialized('says `capabilities: { tools: true }`', (result) => ({
    ...result,
    capabilities: { tools: true },
  })),
  initialized('says `capabilities: { tools: null }`', (result) => ({
    ...result,
    capabilities: { tools: null },
  })),
  initialized('says `capabilities: {}` and has tools', (result) => ({
    ...result,
    capabilities: {},
  })),
  initialized('leaves `serverInfo` out', without('serverInfo')),
  initialized('says `serverInfo: null`', (result) => ({ ...result, serverInfo: null })),
  initialized('has no version in `serverInfo`', (result) => ({
    ...result,
    serverInfo: { name: 'habits' },
  })),
  initialized('says `instructions: null`', (result) => ({ ...result, instructions: null })),
  initialized('says `_meta: null` in the result of `initialize`', (result) => ({
    ...result,
    _meta: null,
  })),
  {
    name: 'refuses `initialize` of a version that it does not speak, and names its own in `data`',
    rules: [
      onlyOlder(['2024-11-05'], 'Unsupported protocol version', { supported: ['2024-11-05'] }),
    ],
  },
  {
    name: 'refuses `initialize` of a version that it does not speak, and names its own in the text',
    rules: [
      onlyOlder(
        ['2025-03-26'],
        'Unsupported protocol version: 2025-11-25 - supported versions: 2025-03-26',
      ),
    ],
  },
  {
    name: 'says something in the stream before it answers `initialize`',
    rules: [
      told('initialize', (answer) =>
        inStream(
          event({
            jsonrpc: '2.0',
            method: 'notifications/message',
            params: { level: 'info', data: 'hello' },
          }) + event(answer),
        ),
      ),
    ],
  },
  {
    name: 'begins the stream with an event without data',
    seen: 'https://github.com/modelcontextprotocol/java-sdk/issues/765',
    rules: [told('initialize', (answer) => inStream(`id: 1\ndata: \n\n${event(answer)}`))],
  },
  {
    name: 'answers `initialize` with 201',
    rules: [altered('initialize', (reply) => status(201, reply))],
  },
  {
    name: 'takes 3 s for `initialize`, as after a cold start',
    rules: [
      on('initialize', async ({ usual }) => {
        await new Promise((resolve) => setTimeout(resolve, 3000));
        return usual();
      }),
    ],
  },
  {
    name: 'takes 2 s for every request until it is warm',
    rules: [
      on('request', async ({ usual, count }) => {
        if (count < 3) await new Promise((resolve) => setTimeout(resolve, 2000));
        return usual();
      }),
    ],
  },
  {
    name: 'answers `initialize` with nothing at all',
    says: /./,
    rules: [on('initialize', SILENT)],
  },
  {
    name: 'answers `initialize` with a JSON-RPC error',
    rules: [on('initialize', errorReply(-32603, 'out of licences'))],
  },
  {
    name: 'answers `initialize` with 500 once',
    says: /500/,
    rules: [firstTimes('initialize', 1, status(500))],
  },
  sessionId('gives an empty `Mcp-Session-Id`', ''),
  sessionId('gives an `Mcp-Session-Id` of odd characters', '~!{"a":1}|<>'),
  sessionId('gives an `Mcp-Session-Id` of 4000 characters', 'a'.repeat(4000)),
  {
    name: 'gives a new `Mcp-Session-Id` with every answer',
    rules: [
      altered('request', (reply, { server }) => ({
        ...reply,
        headers: { ...reply.headers, 'mcp-session-id': server.openSession() },
      })),
    ],
  },
];
