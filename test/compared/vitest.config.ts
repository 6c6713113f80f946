import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/** For `npm run compare`, which runs programs that are no part of the project and is no test of it. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/compared/compare.run.ts'],
    testTimeout: 1_800_000,
  },
});
