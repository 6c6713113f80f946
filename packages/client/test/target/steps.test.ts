import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../src/channels/channel.ts';
import type { Question } from '../../src/target/eras.ts';
import { stepsFor } from '../../src/target/steps.ts';
import { parseTarget, type UrlTarget } from '../../src/target/target.ts';
import type { Verdict } from '../../src/target/verdicts.ts';

const inBoth = (
  target: string,
  options: { known?: Verdict; transport?: Dialect; questions?: Question[] } = {},
): string[][] =>
  stepsFor(parseTarget(target) as UrlTarget, options.known, {
    transport: options.transport,
    questions: options.questions ?? ['discover', 'initialize'],
  }).map((steps) => steps.map(({ by, url }) => `${by} ${url.pathname}${url.search}`));

const steps = (...args: Parameters<typeof inBoth>): string[] => inBoth(...args).flat();

const known = (by: Verdict['by'], dialect: Dialect): Verdict => ({
  by,
  dialect,
  url: new URL('http://h/mcp'),
  isSecondBest: false,
});

describe('what is asked of a target', () => {
  it('an origin: below it first, and a stream is never asked by POST', () => {
    expect(steps('http://h')).toEqual([
      'discover /mcp',
      'initialize /mcp',
      'stream /sse',
      'discover /',
      'initialize /',
      'stream /',
    ]);
  });

  it('what ends in /sse is asked by GET first', () => {
    expect(steps('http://h/sse')[0]).toBe('stream /sse');
  });

  it('a program of the legacy era asks nothing of the modern one', () => {
    const questions: Question[] = ['initialize'];
    expect(steps('http://h/mcp', { questions })).toEqual(['initialize /mcp', 'stream /mcp']);
  });

  it('a program of the modern era alone asks nothing that leads to initialize', () => {
    expect(steps('http://h', { questions: ['discover'] })).toEqual(['discover /mcp', 'discover /']);
  });

  it('a program that wants to be asked asks initialize first', () => {
    const questions: Question[] = ['initialize', 'discover'];
    expect(steps('http://h/mcp', { questions })).toEqual([
      'initialize /mcp',
      'discover /mcp',
      'stream /mcp',
    ]);
  });

  it.each<[Dialect, string[]]>([
    ['streamable-http', ['discover /mcp', 'initialize /mcp']],
    ['sse', ['stream /mcp']],
    ['tool-events', ['stream /mcp']],
    ['stdio', []],
  ])('with the transport %s only what can find it', (transport, expected) => {
    expect(steps('http://h/mcp', { transport })).toEqual(expected);
  });

  it('what is known is asked first, in either era, with the query of now; then all the rest', () => {
    const options = { known: known('discover', 'streamable-http') };
    expect(inBoth('http://h/?k=v', options)).toEqual([
      ['discover /mcp?k=v', 'initialize /mcp?k=v'],
      ['stream /sse?k=v', 'discover /?k=v', 'initialize /?k=v', 'stream /?k=v'],
    ]);
    const legacy = { known: known('initialize', 'streamable-http') };
    expect(inBoth('http://h/mcp', legacy)).toEqual([
      ['initialize /mcp', 'discover /mcp'],
      ['stream /mcp'],
    ]);
    const sse = { known: known('stream', 'sse') };
    expect(inBoth('http://h/mcp', sse)).toEqual([
      ['stream /mcp'],
      ['discover /mcp', 'initialize /mcp'],
    ]);
  });
});
