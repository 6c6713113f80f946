import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { API_KEY } from '../../src/middleware/api-key.ts';
import { CACHE } from '../../src/middleware/cache.ts';
import { LOGGING } from '../../src/middleware/logging.ts';
import { METRICS } from '../../src/middleware/metrics.ts';
import { OTEL_METRICS } from '../../src/middleware/otel-metrics.ts';
import { RATE_LIMIT } from '../../src/middleware/rate-limit.ts';
import { REQUEST_ID } from '../../src/middleware/request-id.ts';
import { RETRY_CALL } from '../../src/middleware/retry.ts';
import { TIMEOUT } from '../../src/middleware/timeout.ts';
import { TOKEN_REFRESH } from '../../src/middleware/token-refresh.ts';
import { TRACING } from '../../src/middleware/tracing.ts';
import {
  BREAKER,
  CALL,
  CLIENT,
  GROUP,
  GROUP_SERVER,
  POOL,
} from '../../src/options/client-table.ts';
import {
  CONNECTION,
  HEARTBEAT,
  LIMITS,
  RETRY,
  TIMEOUTS,
} from '../../src/options/connection-table.ts';
import { defaultOf, description } from '../../src/options/describe.ts';
import { CREDENTIALS, PRINCIPALS } from '../../src/options/principal-options.ts';
import { checkOptions, withDefaults, type AnyTable } from '../../src/options/option.ts';

/** The doc comments of the members of an interface, as plain text, by name. */
function docsOf(file: string, owner: string): Map<string, string> {
  const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
  const start = source.search(new RegExp(`interface ${owner}\\b`));
  expect(start, `${owner} in ${file}`).not.toBe(-1);
  const body = source.slice(start, source.indexOf('\n}', start));
  const members = body.matchAll(/^ {2}\/\*\*((?:(?!\*\/).)*)\*\/\n {2}(\w+)\??:/gms);
  return new Map(
    [...members].map(([, comment = '', name = '']) => [
      name,
      comment
        .replace(/^[ \t]*\*/gm, '')
        .replace(/\s+/g, ' ')
        .trim(),
    ]),
  );
}

const documented: [owner: string, file: string, table: AnyTable][] = [
  ['Timeouts', 'options/connection-options.ts', TIMEOUTS],
  ['RetryOptions', 'options/connection-options.ts', RETRY],
  ['HeartbeatOptions', 'options/connection-options.ts', HEARTBEAT],
  ['ConnectionOptions', 'options/connection-options.ts', CONNECTION],
  ['ChannelOptions', 'options/channel-options.ts', CONNECTION],
  ['Limits', 'options/channel-options.ts', LIMITS],
  ['ClientOptions', 'client/types.ts', CLIENT],
  ['ServerRequestHandlers', 'client/types.ts', CLIENT['handlers'].table ?? {}],
  ['PrincipalsOptions', 'options/principal-options.ts', PRINCIPALS],
  ['PrincipalCredentials', 'options/principal-options.ts', CREDENTIALS],
  ['OperationOptions', 'client/types.ts', CALL],
  ['CallToolOptions', 'client/types.ts', CALL],
  ['BreakerOptions', 'health/breaker.ts', BREAKER],
  ['PoolOptions', 'pool/types.ts', POOL],
  ['GroupOptions', 'group/types.ts', GROUP],
  ['ServerSettings', 'group/types.ts', GROUP_SERVER],
  ['ApiKeyOptions', 'middleware/api-key.ts', API_KEY],
  ['CacheOptions', 'middleware/cache.ts', CACHE],
  ['LoggingOptions', 'middleware/logging.ts', LOGGING],
  ['MetricsOptions', 'middleware/metrics.ts', METRICS],
  ['OtelMetricsOptions', 'middleware/otel-metrics.ts', OTEL_METRICS],
  ['RateLimitOptions', 'middleware/rate-limit.ts', RATE_LIMIT],
  ['RequestIdOptions', 'middleware/request-id.ts', REQUEST_ID],
  ['RetryCallOptions', 'middleware/retry.ts', RETRY_CALL],
  ['TimeoutOptions', 'middleware/timeout.ts', TIMEOUT],
  ['TokenRefreshOptions', 'middleware/token-refresh.ts', TOKEN_REFRESH],
  ['TracingOptions', 'middleware/tracing.ts', TRACING],
];

test.each(documented)('the doc comments of %s say what the table says', (owner, file, table) => {
  const docs = docsOf(file, owner);
  expect(docs.size).toBeGreaterThan(0);
  for (const [name, doc] of docs) {
    const option = table[name];
    expect(option, `${owner}.${name} has a row`).toBeDefined();
    if (option === undefined) continue;
    // A middleware's rows stand beside its type, and say it once.
    if (!file.startsWith('middleware/')) {
      expect(doc.startsWith(option.sentence ?? ' '), `${name}: ${doc}`).toBe(true);
    }
    const said = /Default:? .*?\.(?= |$)/.exec(doc)?.[0];
    expect(said, `${owner}.${name}`).toBe(defaultOf(option));
  }
});

test('every option of a table is documented', () => {
  for (const table of [
    TIMEOUTS,
    RETRY,
    HEARTBEAT,
    LIMITS,
    PRINCIPALS,
    CLIENT,
    CALL,
    BREAKER,
    POOL,
    GROUP,
  ]) {
    const files = documented.filter(([, , part]) => isPartOf(part, table));
    const names = files.flatMap(([owner, file]) => [...docsOf(file, owner).keys()]);
    expect(new Set(names), names.join(', ')).toEqual(new Set(Object.keys(table)));
  }
});

function isPartOf(part: AnyTable, whole: AnyTable): boolean {
  return Object.keys(part).every((name) => Object.hasOwn(whole, name));
}

test('a description for a file is the sentence and the default, without marks of a doc comment', () => {
  expect(description(TIMEOUTS.connectMs)).toBe(
    'How long connecting may take, until the handshake is done, in milliseconds. ' +
      'Default 30 000; 60 000 for a command, as npx may have to fetch it first.',
  );
  expect(description(LIMITS.maxEventBytes)).toMatch(/Default 67 108 864 \(64 MiB\)\.$/);
  expect(description(CONNECTION.transport)).toMatch(/Default: found out\.$/);
  expect(description(CONNECTION.retry)).toBe('How a lost connection comes back.');
});

const table: AnyTable = {
  ms: { kind: 'duration' },
  msOrNone: { kind: 'duration', min: 0 },
  depth: { kind: 'amount', max: 10 },
  times: { kind: 'count', min: 1 },
  whole: { kind: 'whole' },
  flag: { kind: 'flag' },
  text: { kind: 'text' },
  texts: { kind: 'texts' },
  word: { kind: 'enum', values: ['a', 'b'] },
  run: { kind: 'function' },
  object: { kind: 'object' },
  signal: { kind: 'signal' },
  group: { kind: 'group', table: { inner: { kind: 'flag' } } },
  anything: { kind: 'other' },
};

test.each<[string, unknown, string]>([
  ['ms', 0, 'ms: 0 is not a number above 0'],
  ['ms', '5', 'ms: "5" is not a number above 0'],
  ['ms', Number.NaN, 'ms: NaN is not a number above 0'],
  ['ms', null, 'ms: null is not a number above 0'],
  ['msOrNone', -1, 'msOrNone: -1 is not a number above 0'],
  ['depth', 11, 'depth: 11 is more than 10'],
  ['times', 0, 'times: 0 is not a whole number from 1, or Infinity'],
  ['times', 1.5, 'times: 1.5 is not a whole number from 1, or Infinity'],
  ['whole', 1.5, 'whole: 1.5 is not a whole number'],
  ['whole', Infinity, 'whole: Infinity is not a whole number'],
  ['flag', 0, 'flag: neither true nor false'],
  ['text', '', 'text: not a string with something in it'],
  ['texts', 'a', 'texts: not an array'],
  ['texts', ['a', ''], 'texts[1]: not a string with something in it'],
  ['word', 'c', 'word: "c" is none of a, b'],
  ['run', {}, 'run: not a function'],
  ['object', [], 'object: not an object'],
  ['signal', {}, 'signal: not an AbortSignal'],
  ['signal', null, 'signal: not an AbortSignal'],
  ['group', null, 'group: not an object'],
  ['group', { inner: 1 }, 'group.inner: neither true nor false'],
  ['group', { iner: true }, 'group.iner: no such option; there are inner'],
  [
    'wrod',
    'a',
    `wrod: no such option; there are ${Object.keys(table).join(', ')}; did you mean word?`,
  ],
  ['toString', 1, `toString: no such option; there are ${Object.keys(table).join(', ')}`],
])('%s: %o is refused', (name, value, message) => {
  expect(() => checkOptions({ [name]: value }, table)).toThrow(new TypeError(message));
  expect(() => checkOptions({ [name]: value }, table, 'of')).toThrow(
    new TypeError(`of.${message}`),
  );
});

test('what is right passes, and so does what is not given', () => {
  const right = {
    ms: Infinity,
    msOrNone: 0,
    depth: 10,
    times: Infinity,
    whole: 3,
    flag: false,
    text: 'x',
    texts: [],
    word: 'a',
    run: () => {},
    object: {},
    signal: AbortSignal.timeout(1000),
    group: { inner: undefined },
    anything: null,
  };
  expect(Object.keys(right)).toEqual(Object.keys(table));
  expect(() => checkOptions(right, table)).not.toThrow();
  expect(() => checkOptions({ ms: undefined, group: undefined }, table)).not.toThrow();
  expect(() => checkOptions(undefined, table)).not.toThrow();
  expect(() => checkOptions(null, table)).toThrow(new TypeError('options: not an object'));
});

test('defaults stand in for what is not given, or given as undefined', () => {
  expect(withDefaults(HEARTBEAT, { timeoutMs: 5 })).toEqual({ silenceMs: 30_000, timeoutMs: 5 });
  expect(withDefaults(HEARTBEAT, { silenceMs: undefined })).toEqual(withDefaults(HEARTBEAT, {}));
  expect(withDefaults(HEARTBEAT, undefined)).toEqual({ silenceMs: 30_000, timeoutMs: 10_000 });
});
