import { altered, inStream, on, status } from '../replies.mjs';

/**
 * @typedef {import('../server.mjs').Habit} Habit
 * @typedef {import('../server.mjs').Reply} Reply
 * @typedef {import('../server.mjs').Incoming} Incoming
 */

/** @param {string} name @param {(id: string, incoming: Incoming) => string} write what the stream begins with @param {Partial<Habit>} [more] @returns {Habit} */
const begins = (name, write, more = {}) => ({
  name,
  speaks: 'sse',
  rules: [
    {
      what: 'GET',
      when: ({ method, url, server }) => method === 'GET' && url.pathname === server.path,
      reply: (incoming) =>
        inStream(write(incoming.server.openSession(), incoming), { staysOpen: true }),
    },
  ],
  ...more,
});

/** @param {string} name @param {(endpoint: string, incoming: Incoming) => string} alter @param {Partial<Habit>} [more] */
const names = (name, alter, more = {}) =>
  begins(
    `names its endpoint ${name}`,
    (id, incoming) => `event: endpoint\ndata: ${alter(`/messages?session_id=${id}`, incoming)}\n\n`,
    more,
  );

/** @param {string} name @param {(reply: Reply, incoming: Incoming) => Reply} alter @param {Partial<Habit>} [more] @returns {Habit} */
const posts = (name, alter, more = {}) => ({
  name,
  speaks: 'sse',
  rules: [altered('request', alter)],
  ...more,
});

/** @param {Reply} reply */
const answerIn = ({ pushed = '' }) => pushed.replace(/^event: message\ndata: /, '').trimEnd();

/** @type {Habit[]} */
export const sse = [
  names('as a path', (endpoint) => endpoint),
  names('as a full URL', (endpoint, { server }) => server.origin + endpoint),
  names('without the first slash', (endpoint) => endpoint.slice(1)),
  names('as `./messages`', (endpoint) => `.${endpoint}`),
  names('with spaces around', (endpoint) => ` ${endpoint} `),
  names('in quotes', (endpoint) => JSON.stringify(endpoint)),
  names('on another origin', (endpoint) => `http://127.0.0.1:9${endpoint}`, {
    says: /127\.0\.0\.1:9/,
  }),
  names(
    'by the name `localhost`, though the URL says 127.0.0.1',
    (endpoint, { server }) => server.origin.replace('127.0.0.1', 'localhost') + endpoint,
    { says: /localhost/ },
  ),
  names('as `blob:`', (endpoint, { server }) => `blob:${server.origin}${endpoint}`, {
    says: /blob:/,
  }),
  names('as a URL that is none', () => 'http://[nowhere', { says: /endpoint/ }),
  names('without the prefix that a proxy takes away', (endpoint) => endpoint, {
    path: '/api/sse',
    seen: 'https://github.com/modelcontextprotocol/python-sdk/pull/2243',
    rules: [
      { what: 'prefix', when: ({ url }) => url.pathname === '/messages', reply: status(404) },
      {
        what: 'prefix',
        when: ({ url }) => url.pathname === '/api/messages',
        reply: (incoming) => {
          incoming.url.pathname = '/messages';
          return incoming.usual();
        },
      },
    ],
  }),
  begins(
    'sends lines without spaces after the colon',
    (id) => `event:endpoint\ndata:/messages?session_id=${id}\n\n`,
  ),
  begins(
    'ends lines with CR LF',
    (id) => `event: endpoint\r\ndata: /messages?session_id=${id}\r\n\r\n`,
  ),
  begins(
    'begins with a comment and `retry:`',
    (id) => `: hello\nretry: 5000\n\nevent: endpoint\ndata: /messages?session_id=${id}\n\n`,
  ),
  begins(
    'begins with another event',
    (id) => `event: ping\ndata: {}\n\nevent: endpoint\ndata: /messages?session_id=${id}\n\n`,
  ),
  begins('names its endpoint twice', (id) =>
    `event: endpoint\ndata: /messages?session_id=${id}\n\n`.repeat(2),
  ),
  begins('sends no endpoint', () => ': hello\n\n', { says: /endpoint/ }),
  {
    name: 'says that its stream is `text/event-stream; charset=utf-8`',
    speaks: 'sse',
    rules: [
      altered('GET', (reply) => ({
        ...reply,
        headers: { 'content-type': 'text/event-stream; charset=utf-8' },
      })),
    ],
  },
  {
    name: 'says that its stream is `text/plain`',
    speaks: 'sse',
    says: /text\/plain/,
    rules: [altered('GET', (reply) => ({ ...reply, headers: { 'content-type': 'text/plain' } }))],
  },
  {
    name: 'answers GET with a page of HTML',
    speaks: 'sse',
    says: /html|web page/,
    rules: [
      altered('GET', () => ({ headers: { 'content-type': 'text/html' }, body: '<h1>hello</h1>' })),
    ],
  },
  posts('answers a POST with 200 and the text "ok"', (reply) => ({
    ...reply,
    status: 200,
    body: 'ok',
  })),
  posts('answers a POST with 204', (reply) => ({ ...reply, body: '', status: 204 })),
  posts('answers a POST with the answer in its body alone', (reply) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: answerIn(reply),
  })),
  posts('answers a POST with the answer in its body, and on the stream', (reply) => ({
    ...reply,
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: answerIn(reply),
  })),
  posts('sends answers as events without a name', (reply) => ({
    ...reply,
    pushed: `data: ${answerIn(reply)}\n\n`,
  })),
  posts('sends answers as events named `response`', (reply) => ({
    ...reply,
    pushed: `event: response\ndata: ${answerIn(reply)}\n\n`,
  })),
  posts('sends answers as batches', (reply) => ({
    ...reply,
    pushed: `event: message\ndata: [${answerIn(reply)}]\n\n`,
  })),
  posts('sends answers with the id as a string', (reply) => ({
    ...reply,
    pushed: (reply.pushed ?? '').replace(/"id":(\d+)/, '"id":"$1"'),
  })),
  posts('sends every answer twice', (reply) => ({
    ...reply,
    pushed: (reply.pushed ?? '').repeat(2),
  })),
  {
    name: 'answers notifications with 500',
    speaks: 'sse',
    rules: [on('notification', status(500))],
  },
  {
    name: 'never answers the POST of a notification',
    speaks: 'sse',
    rules: [on('notification', { isSilent: true })],
  },
];
