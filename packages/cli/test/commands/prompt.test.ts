import type { Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../run.ts';
import { serveThings } from '../things-server.ts';

let serving: Serving;
beforeAll(async () => void (serving = await serveThings()));
afterAll(() => serving.close());

const prompt = (words: string[], input = ''): ReturnType<typeof run> =>
  run(['prompt', serving.sseUrl, ...words], { input });

describe('a prompt', () => {
  it('is printed message by message, each under its role', async () => {
    const { code, stdout, stderr } = await prompt(['review', 'code=x = 1']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^user:\nReview, short: x = 1\n\nassistant:\nimage \(image\/png, \d+ bytes\) saved to \S+review-1\.png\n$/,
    );
  });

  it('is the result of the protocol with --json', async () => {
    const { stdout } = await prompt(['review', 'code=x', 'style=long', '--json']);
    const { messages } = JSON.parse(stdout) as { messages: object[] };
    expect(messages[0]).toEqual({
      role: 'user',
      content: { type: 'text', text: 'Review, long: x' },
    });
  });

  it('takes an argument from stdin', async () => {
    const { stdout } = await prompt(['review', 'code=@-'], 'line 1\nline 2\n');
    expect(stdout).toContain('Review, short: line 1\nline 2\n');
  });

  it.each([
    [['reveiw', 'code=x'], /has no prompt "reveiw"\. Did you mean review\?/],
    [['review'], /needs code: longwire prompt review code=…/],
    [['review', 'code=x', 'stile=y'], /has no argument `stile`\. Did you mean style\?/],
    [['review', 'code:=1'], /`code` is text here: write = in place of :=/],
  ])('%j is usage', async (words, said) => {
    const { code, stdout, stderr } = await prompt(words);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(said)]);
  });
});
