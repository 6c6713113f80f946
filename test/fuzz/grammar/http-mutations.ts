import { gzipSync } from 'node:zlib';
import { pick, seldom, type Mutate, type Reply, type Table } from './mutation.ts';

const MIB = 2 ** 20;

const STATUSES = [
  200, 201, 202, 204, 205, 206, 300, 301, 302, 303, 304, 305, 307, 308, 400, 401, 402, 403, 404,
  405, 406, 407, 408, 409, 410, 411, 413, 415, 421, 422, 425, 426, 429, 431, 451, 500, 501, 502,
  503, 504, 520, 521, 530, 599, 600, 999,
];

const CONTENT_TYPES = [
  '',
  'text/html',
  'text/plain; charset=utf-16',
  'application/json; charset=iso-8859-1',
  'application/json;',
  'TEXT/EVENT-STREAM',
  'text/event-stream;charset=utf-8, application/json',
  'application/problem+json',
  'application/octet-stream',
  'multipart/mixed; boundary=x',
  ';;;',
  'x'.repeat(10_000),
];

const RETRY_AFTER = ['0', '-1', '1', '99999999', 'x', '1.5', 'Thu, 01 Jan 1970 00:00:00 GMT', ''];

const LOCATIONS = [
  '',
  '/',
  '/mcp',
  '/mcp/',
  '//127.0.0.1:9/',
  'http://127.0.0.1:9/mcp',
  'https://example.com/mcp',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'http://[',
  '?again',
  '\u0080\u00ff',
];

const CHALLENGES = [
  '',
  'Bearer',
  'Bearer resource_metadata="file:///etc/passwd"',
  'Bearer resource_metadata="http://127.0.0.1:9/x", error="\u001b[31m"',
  'Bearer error="invalid_token", error_description="\\"',
  'Bearer '.repeat(1000),
  `Bearer realm="${'\\'.repeat(5000)}`,
  'Basic realm="x", Bearer scope="', // not ended
  ',,,=,=',
];

const SESSION_IDS = ['', ' ', 'x'.repeat(10_000), 'a,b', '\u00e9', '%00', 'two words'];

/** Odd responses: status, headers, codings. */
export const HTTP_MUTATIONS: Table<Reply> = {
  status: (reply, random) => ({ ...reply, status: pick(random, STATUSES) }),
  'status-without-body': (reply, random) => ({
    ...reply,
    status: pick(random, STATUSES),
    body: Buffer.alloc(0),
  }),
  'html-page': (reply, random) => ({
    status: pick(random, [200, 404, 502, 503]),
    headers: withHeader(reply, 'content-type', 'text/html'),
    body: Buffer.from('<!doctype html><title>\u001b[31mBad gateway</title>'.repeat(1000)),
  }),
  'body-empty': (reply) => ({ ...reply, body: Buffer.alloc(0) }),
  'body-large': seldom((reply) => ({ ...reply, body: Buffer.alloc(80 * MIB, 'x') })),
  'error-large': seldom((reply) => ({ ...reply, status: 500, body: Buffer.alloc(32 * MIB, 'x') })),
  'content-type': header('content-type', CONTENT_TYPES),
  'content-type-missing': (reply) => ({ ...reply, headers: withoutHeader(reply, 'content-type') }),
  'content-type-twice': (reply) => ({
    ...reply,
    headers: [['content-type', 'text/html'], ...reply.headers],
  }),
  redirect: (reply, random) => ({
    status: pick(random, [301, 302, 303, 307, 308]),
    headers: withHeader(reply, 'location', pick(random, LOCATIONS)),
    body: Buffer.alloc(0),
  }),
  location: header('location', LOCATIONS),
  'retry-after': (reply, random) => ({
    ...reply,
    status: pick(random, [429, 503]),
    headers: withHeader(reply, 'retry-after', pick(random, RETRY_AFTER)),
  }),
  challenge: (reply, random) => ({
    ...reply,
    status: pick(random, [401, 403]),
    headers: withHeader(reply, 'www-authenticate', pick(random, CHALLENGES)),
  }),
  'session-id': header('mcp-session-id', SESSION_IDS),
  'session-id-twice': (reply) => ({
    ...reply,
    headers: [['mcp-session-id', 'one'], ['mcp-session-id', 'two'], ...reply.headers],
  }),
  'protocol-version': header('mcp-protocol-version', ['', '1999-01-01', 'x'.repeat(10_000)]),
  'encoding-false': header('content-encoding', [
    'gzip',
    'br',
    'deflate',
    'zstd',
    'x',
    'gzip, gzip',
  ]),
  'encoding-gzip': (reply) => compressed(reply, gzipSync(reply.body)),
  'encoding-cut-off': (reply) => compressed(reply, gzipSync(reply.body).subarray(0, -9)),
  'encoding-bomb': seldom((reply) => compressed(reply, bomb())),
  'headers-many': (reply) => ({
    ...reply,
    headers: [...reply.headers, ...headers(2000, 'x')],
  }),
  'header-huge': header('x-huge', ['x'.repeat(200_000)]),
  'header-long': header('x-long', ['x'.repeat(14_000)]),
  cookies: (reply) => ({
    ...reply,
    headers: [...reply.headers, ...headers(100, 'v; Domain=example.com; Path=/', 'set-cookie')],
  }),
};

let builtBomb: Buffer | undefined;

/** Small on the wire, and more than any client takes once it is decoded. */
function bomb(): Buffer {
  builtBomb ??= gzipSync(Buffer.alloc(160 * MIB, '['), { level: 1 });
  return builtBomb;
}

function headers(count: number, value: string, name = 'x-many'): [string, string][] {
  return Array.from({ length: count }, (_, n) => [name, `n${n}=${value}`]);
}

function header(name: string, values: readonly string[]): Mutate<Reply> {
  return (reply, random) => ({ ...reply, headers: withHeader(reply, name, pick(random, values)) });
}

function withHeader(reply: Reply, name: string, value: string): [string, string][] {
  return [...withoutHeader(reply, name), [name, value]];
}

function withoutHeader(reply: Reply, name: string): [string, string][] {
  return reply.headers.filter(([other]) => other !== name);
}

function compressed(reply: Reply, body: Buffer): Reply {
  return { ...reply, headers: withHeader(reply, 'content-encoding', 'gzip'), body };
}
