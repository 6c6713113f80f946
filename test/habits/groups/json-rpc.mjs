import { event, inStream, json, rpcError, status, told, without } from '../replies.mjs';

/**
 * @typedef {import('../server.mjs').Habit} Habit
 * @typedef {import('../server.mjs').Reply} Reply
 * @typedef {import('../server.mjs').Incoming} Incoming
 * @typedef {import('../messages.mjs').Message} Message
 */

/** @param {string} name @param {(answer: Message) => unknown} alter @param {Partial<Habit>} [more] @param {string} [what] @returns {Habit} */
const answers = (name, alter, more = {}, what = 'request') => ({
  name,
  rules: [told(what, (answer) => json(alter(answer)))],
  ...more,
});

/** Only integers are ids. @param {Incoming} incoming */
const isWrongId = ({ message }) => message?.id !== undefined && !Number.isInteger(message.id);

/** @param {string} name @param {(token: unknown) => unknown} alter @param {Partial<Habit>} [more] @returns {Habit} */
const progress = (name, alter, more = {}) => ({
  name,
  progress: 2,
  rules: [
    told('tools/call', (answer, { message }) => {
      const meta = /** @type {Record<string, unknown>} */ (message?.params?.['_meta'] ?? {});
      const token = meta['progressToken'];
      const tell = (/** @type {number} */ n) =>
        event({
          jsonrpc: '2.0',
          method: 'notifications/progress',
          params: { progressToken: alter(token), progress: n, total: 2 },
        });
      return inStream(token === undefined ? event(answer) : tell(1) + tell(2) + event(answer));
    }),
  ],
  ...more,
});

/** @type {Habit[]} */
export const ids = [
  answers('answers with the id as a string', (answer) => ({ ...answer, id: String(answer.id) })),
  answers('answers without an id', without('id'), { says: /\bid\b/ }),
  answers('answers with `id: null`', (answer) => ({ ...answer, id: null }), { says: /\bid\b/ }),
  answers(
    'answers with the id of another request',
    (answer) => ({ ...answer, id: 4711 }),
    { says: /\bid\b|4711|something else/i },
    'tools/call',
  ),
  answers(
    'answers with the id in an object',
    (answer) => ({ ...answer, id: { value: answer.id } }),
    { says: /\bid\b/ },
    'tools/call',
  ),
  {
    name: 'writes the id as a number with a fraction: `7.0`',
    rules: [
      told('request', (answer) => ({
        ...json(0),
        body: JSON.stringify(answer).replace(/"id":(\d+)/, '"id":$1.0'),
      })),
    ],
  },
  {
    name: 'takes only integers as ids',
    rules: [
      {
        what: 'ids',
        when: isWrongId,
        reply: status(400, json(rpcError(-32600, 'Invalid Request: id must be an integer'))),
      },
    ],
  },
  {
    name: 'takes only integers as ids, and restarts',
    trial: 'restart',
    rules: [
      {
        what: 'ids',
        when: isWrongId,
        reply: status(400, json(rpcError(-32600, 'Invalid Request: id must be an integer'))),
      },
    ],
  },
  progress('tells progress in the usual way', (token) => token),
  progress('tells progress with the token as a string', String),
];

/** Asks the client something before it answers the call. @param {string} name @param {Record<string, unknown>} request @param {Partial<Habit>} [more] @returns {Habit} */
const asks = (name, request, more = {}) => ({
  name,
  rules: [
    told('tools/call', (answer, { server }) => ({
      ...inStream(''),
      body: (async function* () {
        yield event(request);
        await server.answerTo(/** @type {number} */ (request['id']));
        yield event(answer);
      })(),
    })),
  ],
  ...more,
});

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

/** @type {Habit[]} */
export const messages = [
  asks('sends a `ping` and waits for its answer before it answers a call', PING),
  asks('sends a `ping` with `params: null`', { ...PING, params: null }),
  asks('sends a `ping` with `params: []`', { ...PING, params: [] }),
  asks('sends a `ping` with an id that is a string', { ...PING, id: 'ping-1' }),
  asks('sends a `ping` with the id 0', { ...PING, id: 0 }),
  asks('sends a `ping` without `jsonrpc`', { id: 1, method: 'ping' }),
  asks('sends a `ping` with `result: null` beside', { ...PING, result: null }),
  asks('asks for `roots/list`, which the client did not offer', { ...PING, method: 'roots/list' }),
  asks('asks for a method that nobody knows', { ...PING, method: 'vendor/whoAreYou' }),
  {
    name: 'sends a notification with `params: null` before each answer',
    rules: [
      told('request', (answer) =>
        inStream(
          event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: null }) +
            event(answer),
        ),
      ),
    ],
  },
  {
    name: 'sends a notification with `id: null` before each answer',
    rules: [
      told('request', (answer) =>
        inStream(
          event({
            jsonrpc: '2.0',
            id: null,
            method: 'notifications/message',
            params: { level: 'info', data: 1 },
          }) + event(answer),
        ),
      ),
    ],
  },
  {
    name: 'sends a log message of a level that does not exist before each answer',
    rules: [
      told('request', (answer) =>
        inStream(
          event({
            jsonrpc: '2.0',
            method: 'notifications/message',
            params: { level: 'verbose', data: 1 },
          }) + event(answer),
        ),
      ),
    ],
  },
  answers('leaves `jsonrpc` out', without('jsonrpc')),
  answers('says `jsonrpc: "1.0"`', (answer) => ({ ...answer, jsonrpc: '1.0' })),
  answers('says `jsonrpc: 2`', (answer) => ({ ...answer, jsonrpc: 2 })),
  answers('says `error: null` beside a result', (answer) => ({ ...answer, error: null })),
  answers('sends further members beside a result', (answer) => ({
    ...answer,
    timestamp: 1,
    server: 'x',
  })),
  answers('says `method: null` beside a result', (answer) => ({ ...answer, method: null })),
  answers('says `_meta: null` in results', (answer) => ({
    ...answer,
    result: { ...answer.result, _meta: null },
  })),
  answers('says `_meta: []` in results, as PHP does', (answer) => ({
    ...answer,
    result: { ...answer.result, _meta: [] },
  })),
  ...[
    /** @type {const} */ ([
      'an error whose code is a string',
      { code: 'E42', message: 'out of paper' },
    ]),
    /** @type {const} */ (['an error without a code', { message: 'out of paper' }]),
    /** @type {const} */ ([
      'an error with `data: null`',
      { code: -32000, message: 'out of paper', data: null },
    ]),
  ].map(([name, error]) =>
    answers(
      `answers a call with ${name}`,
      ({ id }) => ({ jsonrpc: '2.0', id, error }),
      {},
      'tools/call',
    ),
  ),
  answers(
    'answers a call with an error that is a text',
    ({ id }) => ({ jsonrpc: '2.0', id, error: 'out of paper' }),
    { says: /out of paper/ },
    'tools/call',
  ),
  answers(
    'answers a call with an error without a message',
    ({ id }) => ({ jsonrpc: '2.0', id, error: { code: -32050 } }),
    { says: /-32050/ },
    'tools/call',
  ),
  answers(
    'answers a call with `error: null` and `result: null`',
    ({ id }) => ({ jsonrpc: '2.0', id, error: null, result: null }),
    { says: /result/ },
    'tools/call',
  ),
  answers(
    'answers a call with neither result nor error',
    ({ id }) => ({ jsonrpc: '2.0', id }),
    { says: /result|not a JSON-RPC message/ },
    'tools/call',
  ),
];
