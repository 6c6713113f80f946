import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { run } from '../run.ts';

let serving: Serving;
beforeAll(async () => void (serving = await serve({ create: () => createDemoServer() })));
afterAll(() => serving.close());

const call = (words: string[], input: string): ReturnType<typeof run> =>
  run(['call', serving.sseUrl, ...words], { input });

describe('arguments from stdin', () => {
  it.each([
    ['all of them', ['echo', '--args', '-'], '{"message":"hi"}', 'hi\n'],
    ['all of them, as a file', ['echo', '--args', '@-'], '{"message":"hi"}', 'hi\n'],
    ['a text, whole', ['echo', 'message=@-'], 'one\ntwo', 'one\ntwo\n'],
    ['a number', ['add', 'a=@-', 'b=2'], '40\n', '40 + 2 = 42\n'],
    ['JSON', ['chart', 'values:=@-'], '[1,2]', /^A bar chart of 2 values/],
  ])('%s', async (_, words, input, printed) => {
    const { code, stdout } = await call(words, input);
    expect(code).toBe(0);
    if (typeof printed === 'string') expect(stdout).toBe(printed);
    else expect(stdout).toMatch(printed);
  });

  it.each([
    [['add', 'a=@-', 'b=@-'], /a=@- and b=@- want it/],
    [['echo', 'message=@-', '--args', '-'], /message=@- and --args - want it/],
    [['echo', '--args', '-'], /--args is not valid JSON/],
  ])('%j is usage', async (words, said) => {
    const { code, stdout, stderr } = await call(words, 'no JSON');
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(said)]);
  });
});

describe('other words for commands', () => {
  it.each([
    ['ls', /^tool +what it does/],
    ['list', /^tool +what it does/],
    ['ping', /^target +http/],
  ])('%s', async (word, printed) => {
    const { code, stdout } = await run([word, serving.sseUrl]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(printed)]);
  });

  it('get', async () => {
    const { stdout } = await run(['get', serving.sseUrl, 'demo://about']);
    expect(stdout).toMatch(/^# The demo server/);
  });

  it('are not in the help', async () => {
    expect((await run(['--help'])).stdout).not.toMatch(/\b(?:ls|ping|describe)\b/);
  });
});
