import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readPiped } from '../../src/chat/piped-input.ts';
import type { Context } from '../../src/context.ts';
import { Interruptions } from '../../src/interruptions.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function contextOf(stdin: PassThrough): { context: Context; remarks: string[] } {
  const remarks: string[] = [];
  const terminal = { remark: (line: string) => remarks.push(line) };
  const context = { stdin, terminal, interruptions: new Interruptions() };
  return { context: context as unknown as Context, remarks };
}

it('does not wait for a pipe that nobody writes to', async () => {
  const { context, remarks } = contextOf(new PassThrough());
  const piped = readPiped(context);
  await vi.advanceTimersByTimeAsync(3000);
  expect(await piped).toEqual([]);
  expect(remarks).toEqual([expect.stringContaining('Nothing came on stdin for 3 s')]);
});

it('waits for the end of a pipe that somebody has begun to write to', async () => {
  const stdin = new PassThrough();
  const { context } = contextOf(stdin);
  const piped = readPiped(context);
  stdin.write('one ');
  await vi.advanceTimersByTimeAsync(60_000);
  stdin.end('two');
  expect(JSON.stringify(await piped)).toContain('one two');
});

it('takes an image for what it is', async () => {
  const stdin = new PassThrough();
  const { context } = contextOf(stdin);
  const png =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  stdin.end(Buffer.from(png, 'base64'));
  expect(await readPiped(context)).toMatchObject([{ type: 'text' }, { type: 'image' }]);
});

it('ends with the command', async () => {
  const { context } = contextOf(new PassThrough());
  const piped = readPiped(context);
  context.interruptions.end();
  await expect(piped).rejects.toThrow();
});
