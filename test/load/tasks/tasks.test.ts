import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../run.mjs', import.meta.url));

describe.concurrent.each(['2026-07-28', '2025-11-25'])('impatient clients of %s', (era) => {
  it('get what is theirs, and nothing of it stays', async () => {
    const few = ['tasks', '--tasks', '200', '--running', '100', '--kept', '20', '--era', era];
    const ran = promisify(execFile)(process.execPath, [program, ...few]);
    const { stdout, stderr } = await ran.catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    expect(stderr).toBe('');
    expect(stdout).not.toContain('BROKEN');
    // In memory, and in a folder.
    expect(stdout.match(/^kept {3}every task has its own result \(200 of 200\)$/gm)).toHaveLength(
      2,
    );
    expect(stdout.match(/^kept {3}what has expired is gone /gm)).toHaveLength(2);
  });
});
