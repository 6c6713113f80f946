import { expect, test } from 'vitest';
import { isCi, type Prepared } from '../../support/user-cache.ts';

/** Says in one line what a machine lacks; in CI that is a failure. */
export function tellWhatIsMissing(prepared: Prepared): void {
  if (!('missing' in prepared)) return;
  test.skipIf(!isCi)(prepared.missing, () => {
    expect.unreachable(prepared.missing);
  });
}

/** Where what was prepared is. */
export function directoryOf(prepared: Prepared): string {
  if ('missing' in prepared) throw new Error(prepared.missing);
  return prepared.directory;
}
