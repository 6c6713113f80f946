import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { whyNoRedis } from '../cluster/support/redis-server.mjs';
import { tellWhatIsMissing } from '../interop/support/missing.ts';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../examples/', import.meta.url));

/** What the others import, and what has a test of its own. */
const OTHERS = ['market.mjs', 'run.mjs', 'sdk-client.mjs'];

/** What each example prints, among other things. */
const PRINTS: Readonly<Record<string, readonly string[]>> = {
  'agent-tasks': ['the export runs\nleft: export\nthe result: 12 pages\nExported.\n'],
  cache: ['asked 1 time\n', 'time to live 2 times', 'never kept: 2 times', '1 hit, 2 misses'],
  cluster: [
    'the requests went through 3 nodes, and 1 answered\nthe node that has the session is killed\n',
    'answered by another node\npay, which is not: outcome-unknown\nthe session goes on: true\n',
  ],
  environments: [
    'market in development, token: false',
    'market in staging, token: false',
    'market in production, token: true',
    'MARKET_TOKEN is not set',
  ],
  errors: [
    'without a token: unauthorized',
    'takes too long: timeout, outcome-unknown',
    'at the end: closed',
    'not well: http-status',
    'nothing listens there: connect-failed, not-sent',
  ],
  'from-environment': ['AAPL 231.5', 'market-watch/1.0 blue', 'MARKET_URL is not set'],
  group: ['9 tools', 'a: 5 of 5, b: 5 of 5', 'c: away', 'c: 5 of 5', '9 tools again'],
  headers: ['market-watch/1.0, authorized: true, none', 'authorized: true, blue'],
  'drain-and-health': [
    'ready: 200\nthe breaker is open\nconnection-lost, not-sent\nready: 503, alive: 200',
    'the breaker is closed\nclosed, ready: 503\nthe last call: done',
  ],
  'health-monitor': ['market is healthy\nmarket is down\nmarket is healthy', 'MSFT 498.25'],
  'incoming-headers': ['AAPL 231.5', 'blue undefined undefined'],
  'limits-and-traces': [
    'price: limit-exceeded, not-sent',
    'slow: timeout, outcome-unknown',
    '3 spans of price',
  ],
  'logging-and-retry': ['"tool":"price","outcome":"ok"', 'after 3 attempts'],
  'market-agent': ['-> price', 'answered', 'Apple stands at 231.50.'],
  'many-users': [
    'the notes of ann, the notes of bob, the notes of ann, the notes of bob',
    '2 tokens',
  ],
  middleware: ['tools/call took less than a second', '{ timed: true }'],
  'one-shot': ['connecting\nready\n', 'closed\nconnecting\nready\n'],
  pool: ['3 connections, others wait', '9 done'],
  'request-id-and-metrics': [
    'tools/call price: 2 ok',
    'mcp_client_operation_duration_seconds_count{',
    'longwire_client_up{',
  ],
  'server-fastify': ['the rest of the application\nada is ada\ngrace is grace\n'],
  'server-first': [
    '2026-07-28 over streamable-http: hello',
    '2025-11-25 over streamable-http: hello',
    '2024-11-05 over sse: hello',
  ],
  'server-jwt': [
    'a challenge\nread: the service got a token of notes for issuer#ada\nwrite: ',
    'write, with its scope: the service got a token of notes for issuer#ada\n',
  ],
  'server-operate': [
    'healthy 200, ready 200\n',
    'while it stops: healthy 200, ready 503\n',
    'anonymous report: ok\n',
    'the report\n',
  ],
  'server-page': ['nobody: 401\nann: 403\noperator: 200\nann calls count: result\n'],
  'server-program': [
    'notifications/tools/list_changed\n',
    'Notes are only read now',
    'ended: true\n1 tool, 2 sessions\n',
  ],
  'server-queues': ['second: ', 'first: rendered', 'third: rendered', 'maxQueued'],
  'server-tasks': ['the first client: closed\nthe task is working', 'the second client: exported'],
  'server-security': ['without a key: 401', 'from another page: 403', 'price 2: 231.50\nprice 3: '],
  'server-sessions': ['the connection breaks\nthe answer: paid\nagain: paid\nit ran 1 time\n'],
  scoped: ['price, buy, ticker, slow', 'afterwards: closed\nsomething else went wrong'],
  statistics: ['3 succeeded, 1 timed out', 'last error: timeout', 'healthy, answered'],
  stream: ['1: AAPL 231.51\n2: AAPL 231.52\n3: AAPL 231.53\n', 'left early'],
  tasks: [
    'the process that called is gone\nthe task is working\n',
    'exported, and the tool ran 1 time\n',
  ],
  'three-streams': ['metrics: something of metrics', 'alerts: something of alerts', '0 dropped'],
  'token-refresh': ['a token: refused', '3 prices, the provider was asked 2 times'],
  'typed-results': [
    'info: asked for Oslo\nOslo: 4.0 degrees\n',
    'tool-error, answered: the tool weather reported an error: no such city: Atlantis',
    'protocol: the tool weather ran and answered, but its result does not fit the schema',
  ],
  'unit-test': [
    'buy: asking\nbought NVDA\n',
    'lost in the middle: unknown\n',
    'from the recording: bought NVDA\n',
    'the recording has no such call: tools/call sell {}; it has tools/call buy {',
  ],
  workflow: ['look: done', 'buy-the-dip: done', '3 runs in the journal'],
};

const noRedis = await whyNoRedis();
tellWhatIsMissing({ missing: noRedis });
const runnable = Object.entries(PRINTS).filter(
  ([name]) => noRedis === undefined || name !== 'cluster',
);

it.each(runnable)('%s prints what it is about', async (name, expected) => {
  // Where an example has a port of its own, the tests want a free one.
  const env = { PATH: process.env['PATH'] ?? '', PORT: '0' };
  const { stdout } = await run(process.execPath, [`${folder}${name}.mjs`], {
    env,
    timeout: 60_000,
  });
  for (const text of expected) expect(stdout).toContain(text);
});

it('no example is without a test', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
  const tested = Object.keys(PRINTS).map((name) => `${name}.mjs`);
  expect(files.sort()).toEqual([...tested, ...OTHERS].sort());
});
