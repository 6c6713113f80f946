import { defineConfig } from 'vitest/config';
import { SOURCES } from './scripts/entries.mjs';
import { CountsReporter } from './test/support/counts-reporter.ts';

export default defineConfig({
  resolve: {
    alias: [...SOURCES].map(([find, replacement]) => ({
      find: new RegExp(`^${find}$`),
      replacement,
    })),
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // Tests wait more than they compute.
    maxWorkers: 3,
    // So long only where something hangs: a busy machine may be ten times as slow.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', new CountsReporter()],
  },
});
