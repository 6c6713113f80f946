import { PassThrough } from 'node:stream';
import { beforeAll, expect, it } from 'vitest';
import type { Configuration } from '../../src/configuration.ts';
import { loadWideText } from '../../src/display-width.ts';
import { askInputs } from '../../src/hosts/ask-inputs.ts';
import { Interruptions } from '../../src/interruptions.ts';
import { Redactor } from '../../src/redact.ts';
import { Terminal } from '../../src/terminal.ts';
import type { Context } from '../../src/context.ts';
import { until } from '../../../../test/support/until.ts';

beforeAll(loadWideText);

it.each([
  ['blue', 'blue'],
  ['\u001b]0;owned\u0007x', ''],
  ['a\u202eb', ''],
  ['C:\\"some folder"', 'C:\\"some folder"'],
  ['x'.repeat(600), ''],
])('takes a default only where it is shown as it is: %j', async (written, taken) => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  let shown = '';
  stderr.on('data', (chunk) => (shown += String(chunk)));
  const terminal = new Terminal({
    stdout,
    stderr,
    redactor: new Redactor(),
    env: { NO_COLOR: '1' },
  });
  const context = { terminal, stdin, interruptions: new Interruptions() } as unknown as Context;
  const inputs = [{ id: 'team', description: 'Team', isSecret: false, default: written }];
  const configuration = { file: '.vscode/mcp.json', written: new Map(), inputs };
  const answers = askInputs(context, configuration as unknown as Configuration, {
    name: 'it',
    ids: ['team'],
  });
  await until(() => expect(shown).toContain('"Team"'));
  // The library listens once it has drawn.
  await new Promise((resolve) => setTimeout(resolve, 50));
  stdin.write('\r');
  expect(await answers).toEqual({ team: taken });
  expect(shown).not.toContain('owned');
  expect(shown).not.toContain('\u202e');
  expect(shown.length).toBeLessThan(5000);
});
