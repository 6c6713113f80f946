import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serve } from '@longwire/server';
import { expect, test } from 'vitest';
import { loadedModules } from '../../../test/support/loaded-modules.ts';
import { createDemoServer } from '../src/demo/server.ts';

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url));

/** What is in a file of the bundle only where that package is in it. */
const MARKS = {
  "Anthropic's SDK": 'anthropic-version',
  'the journal': 'classic-level',
  jsonata: '_jsonata_lambda',
  Fastify: 'FST_ERR',
  'prom-client': 'longwire_requests_total',
  'what measures wide text': 'Default_Ignorable_Code_Point}$',
} as const;

test('`--version` loads next to nothing', async () => {
  expect((await loadedModules([bin, '--version'], import.meta.dirname)).size).toBeLessThan(4);
});

test('`tools` loads a few files of the bundle, and nothing else', async () => {
  await using serving = await serve({ create: () => createDemoServer() });
  const files = await loadedModules([bin, 'tools', serving.sseUrl, '--json'], import.meta.dirname);
  const dist = fileURLToPath(new URL('../dist/', import.meta.url));
  expect([...files].filter((file) => !file.startsWith(dist))).toEqual([]);
  expect(files.size).toBeLessThan(25);
  const text = [...files].map((file) => readFileSync(file, 'utf8')).join('\n');
  const found = Object.entries(MARKS).filter(([, mark]) => text.includes(mark));
  expect(found).toEqual([]);
});
