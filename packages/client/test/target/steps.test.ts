import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../src/channels/channel.ts';
import { initializeFrom } from '../../src/target/eras.ts';
import { stepsFor } from '../../src/target/steps.ts';
import { parseTarget, type UrlTarget } from '../../src/target/target.ts';
import type { Verdict } from '../../src/target/verdicts.ts';

const discover = { jsonrpc: '2.0' as const, id: 1, method: 'server/discover', params: {} };
const both = { discover, initialize: initializeFrom(discover) };

const steps = (
  target: string,
  options: { known?: Verdict; transport?: Dialect; legacyOnly?: true } = {},
): string[] => {
  const introduction = options.legacyOnly === true ? { ...both, discover: undefined } : both;
  return stepsFor(parseTarget(target) as UrlTarget, options.known, {
    transport: options.transport,
    introduction,
  }).map(({ by, url }) => `${by} ${url.pathname}${url.search}`);
};

const known = (by: Verdict['by'], dialect: Dialect): Verdict => ({
  by,
  dialect,
  url: new URL('http://h/mcp'),
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
    expect(steps('http://h/mcp', { legacyOnly: true })).toEqual(['initialize /mcp', 'stream /mcp']);
  });

  it.each<[Dialect, string[]]>([
    ['streamable-http', ['discover /mcp', 'initialize /mcp']],
    ['sse', ['stream /mcp']],
    ['tool-events', ['stream /mcp']],
    ['stdio', []],
  ])('with the transport %s only what can find it', (transport, expected) => {
    expect(steps('http://h/mcp', { transport })).toEqual(expected);
  });

  it('what is known is all that is asked, in either era, with the query of now', () => {
    const options = { known: known('discover', 'streamable-http') };
    expect(steps('http://h/?k=v', options)).toEqual(['discover /mcp?k=v', 'initialize /mcp?k=v']);
  });

  it('what is known counts for nothing if it may not be spoken, or cannot be asked', () => {
    const sse = { known: known('stream', 'sse'), transport: 'streamable-http' as const };
    expect(steps('http://h/mcp', sse)).toEqual(['discover /mcp', 'initialize /mcp']);
    const modern = { known: known('discover', 'streamable-http'), legacyOnly: true as const };
    expect(steps('http://h/mcp', modern)).toEqual(['initialize /mcp', 'stream /mcp']);
  });
});
