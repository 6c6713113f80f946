import { expect, test } from 'vitest';
import { isCi, type Prepared } from '../../support/user-cache.ts';

/** Says in one line what a machine lacks; in CI that is a failure. */
export function tellWhatIsMissing(prepared: Prepared | { missing: string | undefined }): void {
  const missing = 'missing' in prepared ? prepared.missing : undefined;
  if (missing === undefined) return;
  test.skipIf(!isCi)(missing, () => {
    expect.unreachable(missing);
  });
}

/** Where what was prepared is. */
export function directoryOf(prepared: Prepared): string {
  if ('missing' in prepared) throw new Error(prepared.missing);
  return prepared.directory;
}
