import {
  altered,
  CUT,
  event,
  firstTimes,
  inStream,
  json,
  on,
  page,
  rpcError,
  status,
  text,
} from '../replies.mjs';

/**
 * @typedef {import('../server.mjs').Habit} Habit
 * @typedef {import('../server.mjs').Reply} Reply
 * @typedef {import('../server.mjs').Incoming} Incoming
 */

/** The server is at one path, and sends on what comes to another. @param {string} name @param {number} code @param {string} to @param {Partial<Habit>} [more] @returns {Habit} */
const redirects = (name, code, to, more = {}) => ({
  name,
  path: to.startsWith('/') ? to : '/mcp',
  urlPath: '/mcp',
  rules: [
    {
      what: 'redirect',
      when: ({ url }) => url.pathname === '/mcp',
      reply: { status: code, headers: { location: to } },
    },
  ],
  ...more,
});

const REPORTS = {
  slash: 'https://github.com/modelcontextprotocol/python-sdk/issues/732',
  https: 'https://github.com/modelcontextprotocol/modelcontextprotocol/issues/2755',
};

/** @type {Habit[]} */
export const redirections = [
  ...[301, 302, 303, 307, 308].map((code) =>
    redirects(
      `redirects \`/mcp\` to \`/mcp/\` with ${code}`,
      code,
      '/mcp/',
      code === 307 ? { seen: REPORTS.slash } : {},
    ),
  ),
  ...[301, 302, 303, 307, 308].map((code) =>
    redirects(`redirects \`/mcp\` to another path with ${code}`, code, '/api/v2/mcp'),
  ),
  redirects('redirects to another origin with 307', 307, 'http://127.0.0.1:9/mcp', {
    says: /127\.0\.0\.1:9/,
  }),
  redirects('redirects to https with 301', 301, 'https://127.0.0.1:9/mcp', {
    says: /https:/,
    seen: REPORTS.https,
  }),
  redirects('redirects to https with 308', 308, 'https://127.0.0.1:9/mcp', { says: /https:/ }),
  redirects('redirects to a page where one logs in with 302', 302, '/login', { says: /\/login/ }),
  redirects('redirects to itself for ever', 307, '/mcp', {
    path: '/nowhere',
    says: /redirected|redirect count/,
  }),
  redirects('redirects with 307 to a URL that is none', 307, 'http://[nowhere', {
    path: '/nowhere',
  }),
  { name: 'redirects with 307 without saying where to', rules: [on('any', status(307))] },
  {
    name: 'redirects over three steps with 307',
    path: '/d',
    urlPath: '/a',
    rules: ['/a', '/b', '/c'].map((path, index) => ({
      what: 'redirect',
      when: ({ url }) => url.pathname === path,
      reply: { status: 307, headers: { location: ['/b', '/c', '/d'][index] ?? '' } },
    })),
  },
  {
    name: 'redirects calls alone with 307',
    rules: [
      {
        what: 'redirect',
        when: ({ url, message }) => message?.method === 'tools/call' && url.search === '',
        reply: { status: 307, headers: { location: '/mcp?moved=1' } },
      },
    ],
  },
];

/** @param {string} name @param {number} times @param {Reply} reply @param {string} [what] @param {Partial<Habit>} [more] @returns {Habit} */
const atFirst = (name, times, reply, what = 'tools/call', more = {}) => ({
  name,
  says: new RegExp(String(reply.status ?? 'broke|closed|cut|lost|reset|hang up|failed')),
  rules: [firstTimes(what, times, reply)],
  ...more,
});

/** A server that is replaced, behind a gateway that says so for a while. @param {number} code @param {Reply} [reply] @returns {Habit} */
const awayBehind = (code, reply = page(String(code))) => ({
  name: `is replaced behind a gateway that answers ${code} for 2 s`,
  trial: 'restart',
  rules: [
    {
      what: 'gateway',
      when: ({ server }) => {
        const { restartedAt } = server;
        return restartedAt !== undefined && performance.now() - restartedAt < 2000;
      },
      reply: status(code, reply),
    },
  ],
});

/** Lets through only requests with the cookie that it gave. @param {string} name @param {string} attributes @returns {Habit} */
const sticky = (name, attributes) => ({
  name,
  rules: [
    {
      what: 'cookie',
      when: ({ message, headers }) =>
        message?.method === 'initialize' && headers.cookie === undefined,
      reply: (incoming) => {
        const reply = incoming.usual();
        return {
          ...reply,
          headers: {
            ...reply.headers,
            'set-cookie': [`AWSALB=node-1${attributes}`, `AWSALBCORS=node-1${attributes}`],
          },
        };
      },
    },
    {
      what: 'cookie',
      when: ({ message, headers }) =>
        message?.method !== 'server/discover' && headers.cookie === undefined,
      reply: status(404, json(rpcError(-32001, 'Session not found'))),
    },
  ],
});

/** @type {Habit[]} */
export const gateways = [
  atFirst('answers a call with 429 and `Retry-After: 1` once', 1, {
    status: 429,
    headers: { 'retry-after': '1' },
  }),
  atFirst('answers a call with 429 once', 1, status(429)),
  atFirst('answers a call with 503 and `Retry-After: 1` once', 1, {
    status: 503,
    headers: { 'retry-after': '1' },
  }),
  atFirst('answers a call with 408 once', 1, status(408)),
  atFirst('answers a call with 425 once', 1, status(425)),
  atFirst('answers a call with 500 once', 1, status(500, text('Internal Server Error'))),
  atFirst(
    'answers a call with 502 and a page of HTML once',
    1,
    status(502, page('502 Bad Gateway')),
  ),
  atFirst(
    'answers a call with 503 and a page of HTML once',
    1,
    status(503, page('503 Service Temporarily Unavailable')),
  ),
  atFirst('answers a call with 504 once', 1, status(504, page('504 Gateway Time-out'))),
  atFirst('answers a call with 413', 100, status(413, page('413 Request Entity Too Large'))),
  atFirst(
    'answers a call with 403 and the page of a firewall',
    100,
    status(403, page('Attention Required! | Cloudflare')),
  ),
  atFirst(
    'answers `tools/list` with 502 once',
    1,
    status(502, page('502 Bad Gateway')),
    'tools/list',
  ),
  atFirst('breaks the connection off at a call, before it ran', 1, CUT),
  {
    name: 'breaks the connection off at a call, after it ran',
    says: /broke|closed|cut|lost|reset|hang up|failed/,
    rules: [altered('tools/call', () => CUT)],
  },
  awayBehind(502),
  awayBehind(503),
  awayBehind(504),
  awayBehind(521),
  { name: 'is restarted, and its port is closed for 1.5 s', trial: 'away', rules: [] },
  sticky('is behind a balancer that finds its node by a cookie', '; Path=/'),
  sticky(
    'is behind a balancer whose cookie has `Expires` and `SameSite`',
    '; Expires=Wed, 01 Jan 2031 00:00:00 GMT; Path=/; SameSite=None',
  ),
  sticky('is behind a balancer whose cookie is for another domain', '; Domain=example.com; Path=/'),
  {
    name: 'refuses requests without a `User-Agent`',
    rules: [
      {
        what: 'firewall',
        when: ({ headers }) => !headers['user-agent'],
        reply: status(403, page('Request blocked')),
      },
    ],
  },
  {
    name: 'refuses requests whose `Accept` does not name both types',
    rules: [
      {
        what: 'accept',
        when: ({ method, headers }) => {
          const accept = String(headers.accept);
          return (
            method === 'POST' &&
            !(accept.includes('application/json') && accept.includes('text/event-stream'))
          );
        },
        reply: status(406, json(rpcError(-32000, 'Not Acceptable'))),
      },
    ],
  },
  {
    name: 'refuses requests without `MCP-Protocol-Version` after the handshake',
    rules: [
      {
        what: 'version',
        when: ({ headers, message }) =>
          headers['mcp-protocol-version'] === undefined &&
          !['initialize', 'server/discover'].includes(message?.method ?? ''),
        reply: status(400, json(rpcError(-32000, 'MCP-Protocol-Version is missing'))),
      },
    ],
  },
  {
    name: 'closes the connection after every answer',
    rules: [
      altered('any', (reply) => ({ ...reply, headers: { ...reply.headers, connection: 'close' } })),
    ],
  },
  {
    name: 'sends the headers of an answer late, and a comment first',
    rules: [
      on('tools/call', async (incoming) => {
        const answer = incoming.server.answerOf(
          /** @type {import('../messages.mjs').Message} */ (incoming.message),
        );
        await new Promise((resolve) => setTimeout(resolve, 1000));
        return inStream(`: sorry\n\n${event(answer)}`);
      }),
    ],
  },
  { name: 'wants credentials: 401 without `WWW-Authenticate`', rules: [on('any', status(401))] },
  {
    name: 'wants credentials: 401 with a JSON-RPC error',
    rules: [on('any', status(401, json(rpcError(-32001, 'Unauthorized: API key required'))))],
  },
  {
    name: 'wants credentials: 403 with JSON',
    rules: [on('any', status(403, json({ message: 'Forbidden' })))],
  },
  {
    name: 'wants credentials: 407 of a proxy',
    rules: [on('any', status(407, page('Proxy Authentication Required')))],
  },
  {
    name: 'is no MCP server: 404 for everything',
    rules: [on('any', status(404, page('Not Found')))],
  },
  {
    name: 'is no MCP server: a page of HTML for everything',
    says: /html|web page/i,
    rules: [on('any', page('Welcome'))],
  },
  {
    name: 'is no MCP server: `{"status": "ok"}` for everything',
    says: /MCP|JSON-RPC/,
    rules: [on('any', json({ status: 'ok' }))],
  },
  {
    name: 'is no MCP server: an empty body for everything',
    says: /empty|MCP/,
    rules: [on('any', {})],
  },
  {
    name: 'is no MCP server: 503 for everything',
    rules: [on('any', status(503, page('Maintenance')))],
  },
];
