import { describe, expect, it } from 'vitest';
import { readLine } from '../../src/shell/written-line.ts';

const known = { servers: ['market'], tools: ['echo', 'add'] };

describe('several lines that are sent at once', () => {
  it.each([
    ['echo message=one\necho message=two', 'echo'],
    ['call add a=1 b=2\nread demo://about', 'read'],
    ['call market add a=1\nls', 'ls'],
    ['echo message=one\nquit', 'quit'],
  ])('are not two commands: %j', (text, next) => {
    expect(() => readLine(text, known)).toThrow(`"${next}" begins another: send each by itself`);
  });

  it.each([
    ['add\n  a=1\n  b=2', ['add', 'a=1', 'b=2']],
    ['call\necho\nmessage="one\necho two"', ['echo', 'message=one\necho two']],
    ['echo message:={\n"a": 1\n}', ['echo', 'message:={\n"a": 1\n}']],
  ])('are one call: %j', (text, words) => {
    expect(readLine(text, known)).toMatchObject({ command: 'call', words });
  });
});
