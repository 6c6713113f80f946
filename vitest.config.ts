import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { CountsReporter } from './test/support/counts-reporter.ts';

const sources = (name: string): string =>
  fileURLToPath(new URL(`./packages/${name}/src/index.ts`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^@longwire\/client\/oauth$/,
        replacement: fileURLToPath(new URL('./packages/client/src/auth/oauth.ts', import.meta.url)),
      },
      {
        find: /^@longwire\/client\/(config|middleware|testing|untrusted)$/,
        replacement: sources('client').replace(/index\.ts$/, '$1/index.ts'),
      },
      { find: /^@longwire\/(client|agent|server|workflow)$/, replacement: sources('$1') },
      { find: /^longwire$/, replacement: sources('cli') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    maxWorkers: 2,
    // So long only where something hangs: a busy machine may be ten times as slow.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', new CountsReporter()],
  },
});
