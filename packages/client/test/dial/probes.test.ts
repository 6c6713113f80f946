import { describe, expect, it } from 'vitest';
import type { FirstMethod } from '../../src/dial/eras.ts';
import { probesFor } from '../../src/dial/probes.ts';
import { parseTarget, type UrlTarget } from '../../src/dial/target.ts';
import type { Detected } from '../../src/dial/detected.ts';
import type { TransportName } from '../../src/transport-name.ts';

const inBoth = (
  target: string,
  options: { known?: Detected; transport?: TransportName; methods?: FirstMethod[] } = {},
): string[][] =>
  probesFor(parseTarget(target) as UrlTarget, options.known, {
    transport: options.transport,
    methods: options.methods ?? ['discover', 'initialize'],
  }).map((steps) => steps.map(({ by, url }) => `${by} ${url.pathname}${url.search}`));

const steps = (...args: Parameters<typeof inBoth>): string[] => inBoth(...args).flat();

const known = (by: Detected['by'], transport: TransportName): Detected => ({
  by,
  transport,
  url: new URL('http://h/mcp'),
  isSecondBest: false,
});

describe('the probes of a target', () => {
  it('an origin: paths below it first, and never /sse by POST', () => {
    expect(steps('http://h')).toEqual([
      'discover /mcp',
      'initialize /mcp',
      'stream /sse',
      'discover /',
      'initialize /',
      'stream /',
    ]);
  });

  it('a URL that ends in /sse: GET first', () => {
    expect(steps('http://h/sse')[0]).toBe('stream /sse');
  });

  it('a program of the legacy era: none of the modern era', () => {
    const methods: FirstMethod[] = ['initialize'];
    expect(steps('http://h/mcp', { methods })).toEqual(['initialize /mcp', 'stream /mcp']);
  });

  it('a program of the modern era alone: none that leads to initialize', () => {
    expect(steps('http://h', { methods: ['discover'] })).toEqual(['discover /mcp', 'discover /']);
  });

  it('a program with handlers: initialize first', () => {
    const methods: FirstMethod[] = ['initialize', 'discover'];
    expect(steps('http://h/mcp', { methods })).toEqual([
      'initialize /mcp',
      'discover /mcp',
      'stream /mcp',
    ]);
  });

  it.each<[TransportName, string[]]>([
    ['streamable-http', ['discover /mcp', 'initialize /mcp']],
    ['sse', ['stream /mcp']],
    ['tool-events', ['stream /mcp']],
    ['stdio', []],
  ])('the transport %s: only those that can find it', (transport, expected) => {
    expect(steps('http://h/mcp', { transport })).toEqual(expected);
  });

  it('a known server: its probe first, in either era, with the current query; then all others', () => {
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
