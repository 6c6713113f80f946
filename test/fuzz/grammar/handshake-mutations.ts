import { pick, withProperty, type Table } from './mutation.ts';
import {
  CONTROL_SEQUENCES,
  oddSomewhere,
  oddText,
  oddValue,
  withoutSomething,
  withSomethingMore,
} from './odd-values.ts';

const VERSIONS: readonly unknown[] = [
  '',
  '1999-01-01',
  '9999-12-31',
  '2026-07-28',
  '2024-11-05',
  'DRAFT',
  ' 2025-06-18 ',
  20250618,
  null,
  ['2025-06-18'],
  { toString: '2025-06-18' },
  '1'.repeat(100_000),
  ...CONTROL_SEQUENCES,
];

const CAPABILITIES: readonly unknown[] = [
  null,
  [],
  'tools',
  {},
  { tools: null },
  { tools: true },
  { tools: [], resources: [], prompts: [] },
  { tools: { listChanged: 'yes' }, logging: 1, completions: [] },
  { resources: { subscribe: null }, prompts: {}, extensions: { x: null }, experimental: [] },
  { tasks: { requests: null, list: 1 } },
  JSON.parse('{"__proto__": {"polluted": true}, "tools": {}}'),
];

const SUPPORTED_VERSIONS: readonly unknown[] = [
  [],
  [null],
  '2026-07-28',
  ['2025-06-18'],
  ['2026-07-28', '2026-07-28'],
  { 0: '2026-07-28', length: 1 },
  Array.from({ length: 10_000 }, (_, index) => `2026-07-28-${index}`),
];

/** Odd results of `initialize` and `server/discover`. */
export const HANDSHAKE_MUTATIONS: Table<unknown> = {
  'not-an-object': (_, random) => oddValue(random),
  'odd-value': oddSomewhere,
  'missing-property': withoutSomething,
  'further-property': withSomethingMore,
  'protocol-version': (result, random) =>
    withProperty(result, 'protocolVersion', pick(random, VERSIONS)),
  'supported-versions': (result, random) =>
    withProperty(result, 'supportedVersions', pick(random, SUPPORTED_VERSIONS)),
  capabilities: (result, random) =>
    withProperty(result, 'capabilities', pick(random, CAPABILITIES)),
  'server-name': (result, random) =>
    withProperty(result, 'serverInfo', { name: oddText(random), version: oddText(random) }),
  'server-info': (result, random) => withProperty(result, 'serverInfo', oddValue(random)),
  'server-icons': (result) =>
    withProperty(result, 'serverInfo', {
      name: 'icons',
      version: '1',
      icons: [{ src: 'file:///etc/passwd' }, { src: null }, 1],
      websiteUrl: 'javascript:alert(1)',
    }),
  instructions: (result, random) => withProperty(result, 'instructions', oddText(random)),
  'instructions-odd': (result, random) => withProperty(result, 'instructions', oddValue(random)),
  meta: (result, random) => withProperty(result, '_meta', oddValue(random)),
  'result-type': (result, random) => withProperty(result, 'resultType', oddValue(random)),
  'cache-hints': (result, random) =>
    withProperty(withProperty(result, 'ttlMs', oddValue(random)), 'cacheScope', oddValue(random)),
};
