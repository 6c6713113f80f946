import { beforeAll, expect, test } from 'vitest';
import { loadedModules } from '../../../test/support/loaded-modules.ts';

let official: ReadonlySet<string>;
let loaded: ReadonlySet<string>;

const loadedBy = (name: string): Promise<ReadonlySet<string>> =>
  loadedModules(['--input-type=module', '--eval', `import '${name}'`], import.meta.dirname);

beforeAll(async () => {
  [official, loaded] = await Promise.all(
    ['@modelcontextprotocol/client', '@longwire/client'].map(loadedBy) as [
      Promise<ReadonlySet<string>>,
      Promise<ReadonlySet<string>>,
    ],
  );
});

test('the client loads little beyond what the official client loads', () => {
  const packages = [...loaded]
    .filter((file) => !official.has(file))
    .map((file) => /^.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file)?.[1] ?? 'itself');
  expect(new Set(packages)).toEqual(new Set(['itself', '@modelcontextprotocol/client']));
  expect(packages.length).toBeLessThan(10);
});

test.each([
  ['OpenTelemetry', /@opentelemetry/],
  ['prom-client', /prom-client/],
  ["Anthropic's SDK", /@anthropic-ai/],
  ['undici', /node_modules[\\/]undici[\\/]/],
  ['cross-spawn', /[\\/]cross-spawn[\\/]/],
  ['the schema of longwire.json', /[\\/]config[\\/]/],
])('the client does not load %s', (_name, path) => {
  expect([...loaded].filter((file) => path.test(file) && !official.has(file))).toEqual([]);
});

test('the client loads nothing of zod that the official client does not load', () => {
  const ofZod = (files: ReadonlySet<string>): string[] =>
    [...files].filter((file) => /[\\/]zod[\\/]/.test(file)).toSorted();
  expect(ofZod(loaded)).toEqual(ofZod(official));
});

test.each([
  ['@longwire/client/middleware', /prom-client|@opentelemetry/],
  ['@longwire/client/internal', /prom-client|@opentelemetry/],
  ['@longwire/client/pool', /[\\/]undici[\\/]/],
])('%s does not load %s', async (name, path) => {
  expect([...(await loadedBy(name))].filter((file) => path.test(file))).toEqual([]);
});
