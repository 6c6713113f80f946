import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../../support/open-handles.ts';
import { isCi } from '../../support/user-cache.ts';
import { clients, runClient } from './support/run-client.ts';
import { WHOLE } from './support/report.ts';
import { serveKit } from './support/serve-kit.ts';

expectNothingLeftOpen();

/** Whether a command is there; in CI it has to be. */
async function isThere(command: string): Promise<boolean> {
  const found = await promisify(execFile)(command, ['--version']).then(
    () => true,
    () => false,
  );
  return found || isCi;
}

const KEY = 'test-key';

test.skipIf(!(await isThere('python3')))(
  "a client in nothing but Python's library lists, calls, and hears of changes",
  async () => {
    await using kit = await serveKit();
    const script = join(clients, 'tool-events.py');
    expect(JSON.parse(await runClient('python3', [script, kit.origin, KEY]))).toEqual({
      tools: WHOLE.tools,
      schema: ['message'],
      echo: WHOLE.echo,
      failed: WHOLE.failed,
      unknown: ['error', expect.arrayContaining(['message']) as unknown],
      grown: [...WHOLE.tools, 'grown'].toSorted(),
    });
  },
);

test.skipIf(!(await isThere('curl')))('a client in shell and curl lists and calls', async () => {
  await using kit = await serveKit();
  const args = [join(clients, 'tool-events.sh'), kit.origin, KEY, 'echo', '{"message":"hé"}'];
  const [tools, result] = (await runClient('sh', args)).split('\n');
  expect(JSON.parse(tools ?? '')).toContainEqual(
    expect.objectContaining({ name: 'echo', input_schema: expect.anything() as unknown }),
  );
  expect(JSON.parse(result ?? '')).toEqual({ content: [{ type: 'text', text: WHOLE.echo }] });
});
