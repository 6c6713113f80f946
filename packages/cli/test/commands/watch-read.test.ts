import { serve } from '@longwire/server';
import { expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { run, type Run } from '../run.ts';

/** Watches until stdout matches, and then presses Ctrl-C. */
async function watched(words: string[], enough: (stdout: string) => boolean): Promise<Run> {
  let interrupt = (): void => undefined;
  return await run(['watch', ...words], {
    onInterrupt: (listener) => void (interrupt = listener),
    onOutput: (stdout) => {
      if (enough(stdout)) interrupt();
    },
  });
}

it('a watched resource is printed at first and whenever it changes', async () => {
  await using serving = await serve({ create: () => createDemoServer({ clockMs: 20 }) });
  const times = /demo:\/\/clock: \d{4}-\d\d-\d\dT/g;
  const { code, stdout } = await watched(
    [serving.sseUrl, '--read', 'demo://clock'],
    (text) => (text.match(times) ?? []).length >= 3,
  );
  expect(code).toBe(130);
  expect(stdout).toContain('notifications/resources/updated');
});

it('is one line an event with --json, with its content', async () => {
  await using serving = await serve({ create: () => createDemoServer({ clockMs: 20 }) });
  const { stdout } = await watched(
    [serving.sseUrl, '--read', 'demo://about', '--read', 'demo://clock', '--json'],
    (text) => (text.match(/"event":"resource","uri":"demo:\/\/clock"/g) ?? []).length >= 2,
  );
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; uri?: string; contents?: object[] });
  const read = events.filter(({ event }) => event === 'resource');
  expect(read[0]).toMatchObject({ uri: 'demo://about', contents: [{ mimeType: 'text/markdown' }] });
  expect(read[1]).toMatchObject({ uri: 'demo://clock', contents: [{ uri: 'demo://clock' }] });
});

it('a resource that cannot be read is told, and the others go on', async () => {
  await using serving = await serve({ create: () => createDemoServer({ clockMs: 20 }) });
  const { stdout } = await watched(
    [serving.sseUrl, '--read', 'demo://nothing', '--read', 'demo://clock'],
    (text) => text.includes('demo://clock: 2'),
  );
  expect(stdout).toMatch(/error demo:\/\/nothing: the server answered reading demo:\/\/nothing/);
});
