import { setTimeout as sleep } from 'node:timers/promises';
import { altered, event, inStream, json, on, rpcError, status, textIn, told } from '../replies.mjs';

/**
 * @typedef {import('../server.mjs').Habit} Habit
 * @typedef {import('../server.mjs').Reply} Reply
 * @typedef {import('../messages.mjs').Message} Message
 */

const PIECE_BYTES = 7;

/** @param {string} name @param {(answer: Message) => Reply} tell @param {Partial<Habit>} [more] @returns {Habit} */
const tells = (name, tell, more = {}) => ({ name, rules: [told('request', tell)], ...more });

/** @param {string} type @param {Partial<Habit>} [more] @returns {Habit} */
const ofType = (type, more) =>
  tells(
    `sends JSON as \`${type}\``,
    (answer) => ({ ...json(answer), headers: { 'content-type': type } }),
    more,
  );

/** @param {string} type @returns {Habit} */
const streamOfType = (type) =>
  tells(`sends an event stream as \`${type}\``, (answer) => ({
    ...inStream(event(answer)),
    headers: { 'content-type': type },
  }));

/** @type {Habit[]} */
export const types = [
  ofType('application/json; charset=utf-8'),
  ofType('application/json;charset=UTF-8'),
  ofType('Application/JSON'),
  ofType('application/json, application/json'),
  ofType('application/json-rpc'),
  ofType('application/jsonrequest'),
  ofType('application/vnd.mcp+json'),
  ofType('application/problem+json'),
  ofType('text/json'),
  ofType('text/plain; charset=utf-8'),
  ofType('text/html; charset=utf-8'),
  ofType('application/octet-stream'),
  ofType('text/event-stream'),
  tells('sends JSON without a content type', (answer) => ({ body: JSON.stringify(answer) })),
  streamOfType('text/event-stream; charset=utf-8'),
  streamOfType('text/event-stream;charset=UTF-8'),
  streamOfType('Text/Event-Stream'),
  streamOfType('text/plain'),
  streamOfType('application/json'),
  tells('sends an event stream without a content type', (answer) => ({ body: event(answer) })),
];

/** @param {string} name @param {(answer: Message, text: string) => string | AsyncIterable<string | Buffer>} write @param {Partial<Habit> & Omit<Reply, 'body' | 'headers'>} [more] @returns {Habit} */
const streams = (name, write, { staysOpen, isCut, ...more } = {}) =>
  tells(
    name,
    (answer) => ({
      ...inStream('', { ...(staysOpen && { staysOpen }), ...(isCut && { isCut }) }),
      body: write(answer, JSON.stringify(answer)),
    }),
    more,
  );

/** @param {string} whole */
async function* inPieces(whole) {
  const bytes = Buffer.from(whole);
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    yield bytes.subarray(start, start + PIECE_BYTES);
    await new Promise(setImmediate);
  }
}

/** @type {Habit[]} */
export const bodies = [
  tells('puts a byte order mark before JSON', (answer) => ({
    ...json(answer),
    body: `\u{FEFF}${JSON.stringify(answer)}`,
  })),
  tells('puts empty lines around JSON', (answer) => ({
    ...json(answer),
    body: `\r\n\n${JSON.stringify(answer)}\n\n`,
  })),
  tells('sends JSON over many lines', (answer) => ({
    ...json(answer),
    body: JSON.stringify(answer, null, 2),
  })),
  tells('sends JSON in pieces of 7 bytes', (answer) => ({
    ...json(answer),
    body: inPieces(JSON.stringify(answer)),
  })),
  tells('sends a batch of one answer, as of 2025-03-26', (answer) => json([answer])),
  tells('answers with status 201', (answer) => status(201, json(answer))),
  tells('answers with status 202 and the answer in the body', (answer) =>
    status(202, json(answer)),
  ),
  {
    name: 'answers calls with status 400 and a result all the same',
    rules: [altered('tools/call', (reply) => status(400, reply))],
  },
  {
    name: 'answers calls with status 500 and a result all the same',
    rules: [altered('tools/call', (reply) => status(500, reply))],
  },
  streams('puts a byte order mark before the stream', (answer) => `\u{FEFF}${event(answer)}`),
  streams('ends lines of a stream with CR LF', (answer) => event(answer).replaceAll('\n', '\r\n')),
  streams('ends lines of a stream with CR', (answer) => event(answer).replaceAll('\n', '\r')),
  streams(
    'leaves the space after `data:` out',
    (_answer, text) => `event:message\ndata:${text}\n\n`,
  ),
  streams('gives events no name', (_answer, text) => `data: ${text}\n\n`),
  ...['response', 'result', 'error', 'mcp', 'Message', 'tools/call'].map((name) =>
    streams(`gives the event of an answer the name \`${name}\``, (answer) => event(answer, name)),
  ),
  streams('leaves the empty line after the last event out', (answer) => event(answer).trimEnd()),
  streams(
    'spreads JSON over many `data:` lines',
    (answer) =>
      `${JSON.stringify(answer, null, 1)
        .split('\n')
        .map((line) => `data: ${line}`)
        .join('\n')}\n\n`,
  ),
  streams('sends comments between events', (answer) => `: ping\n\n:\n\n${event(answer)}: bye\n\n`),
  streams(
    'sends events `ping` between its answers',
    (answer) => `event: ping\ndata: 2026-01-01\n\n${event(answer)}`,
  ),
  streams(
    'sends events of unknown names that are JSON',
    (answer) => `event: metrics\ndata: {"cpu": 1}\n\n${event(answer)}`,
  ),
  streams(
    'sends a banner of text in the stream',
    (answer) => `data: connected\n\n${event(answer)}`,
  ),
  streams('ends its stream with `[DONE]`', (answer) => `${event(answer)}data: [DONE]\n\n`),
  streams('sends a stream in pieces of 7 bytes', (answer) => inPieces(event(answer))),
  streams('leaves the stream open after the answer', (answer) => event(answer), {
    staysOpen: true,
  }),
  streams('breaks the stream off after the answer', (answer) => event(answer), { isCut: true }),
  streams('sends a batch in an event, as of 2025-03-26', (answer) => event([answer])),
  streams('sends a batch of a notification and the answer in an event', (answer) =>
    event([
      { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } },
      answer,
    ]),
  ),
  streams('sends the answer twice', (answer) => event(answer) + event(answer)),
  streams(
    'sends an answer to nobody first',
    (answer) => event({ jsonrpc: '2.0', id: 4711, result: {} }) + event(answer),
  ),
  streams('sends the id of an event with a NUL', (answer) => `id: a\u0000b\n${event(answer)}`),
  streams(
    'sends lines of fields that nobody knows',
    (answer) => `foo: bar\nretry: soon\n${event(answer)}`,
  ),
  {
    name: 'answers a call with 202, and on the stream of GET',
    form: 'json',
    rules: [
      altered('tools/call', (reply) => ({
        status: 202,
        pushed: `event: message\ndata: ${textIn(reply)}\n\n`,
      })),
    ],
  },
  {
    name: 'ends the stream of a call without the answer',
    says: /ended|without|closed|lost/i,
    rules: [altered('tools/call', () => inStream(': bye\n\n'))],
  },
  {
    name: 'breaks off in the middle of an answer',
    says: /broke|ended|cut|lost|terminated|closed/i,
    rules: [
      altered('tools/call', (reply) => ({
        ...json(0),
        body: textIn(reply).slice(0, 20),
        isCut: true,
      })),
    ],
  },
  {
    name: 'sends JSON that is none',
    says: /JSON/i,
    rules: [altered('tools/call', () => ({ ...json(0), body: '{"jsonrpc": "2.0", ' }))],
  },
  {
    name: 'sends a page of HTML with 200 in place of an answer',
    says: /html/i,
    rules: [
      altered('tools/call', () => ({
        headers: { 'content-type': 'text/html' },
        body: '<h1>Log in</h1>',
      })),
    ],
  },
  {
    name: 'sends an empty body with 200 in place of an answer',
    says: /empty|no answer|without|not with/i,
    rules: [altered('tools/call', () => ({}))],
  },
  {
    name: 'sends an empty JSON document in place of an answer',
    says: /empty|JSON/i,
    rules: [altered('tools/call', () => ({ ...json(0), body: '' }))],
  },
  {
    name: 'answers a call after 2 s of comments',
    rules: [
      told('tools/call', (answer) => ({
        ...inStream(''),
        body: (async function* () {
          for (let n = 0; n < 10; n += 1) {
            yield ': still at work\n\n';
            await sleep(200);
          }
          yield event(answer);
        })(),
      })),
    ],
  },
  {
    name: 'answers a call with a JSON-RPC error and status 400',
    rules: [
      on('tools/call', (incoming) =>
        status(400, json(rpcError(-32602, 'n is too large', incoming.message?.id))),
      ),
    ],
  },
];
