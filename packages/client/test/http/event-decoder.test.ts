import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventDecoder, type StreamEvent } from '../../src/http/event-decoder.ts';

function decode(chunks: readonly Buffer[], maxEventBytes = 1_000_000): StreamEvent[] {
  const events: StreamEvent[] = [];
  const decoder = new EventDecoder({ maxEventBytes, onEvent: (event) => events.push(event) });
  for (const chunk of chunks) decoder.push(chunk);
  return events;
}

/**
 * The rules, word for word and on the whole stream at once.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
function reference(stream: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  const lines = stream.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  lines.pop(); // What has no line end is not a line.
  let data = '';
  let type = '';
  let id: string | undefined;
  for (const line of lines) {
    if (line === '') {
      if (data !== '') events.push({ type: type || 'message', data: data.slice(0, -1), id });
      data = '';
      type = '';
      id = undefined;
      continue;
    }
    if (line.startsWith(':')) continue;
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data += `${value}\n`;
    if (field === 'event') type = value;
    if (field === 'id' && !value.includes('\0')) id = value;
  }
  return events;
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    chunks.push(bytes.subarray(from, place));
    from = place;
  }
  return chunks;
}

describe('EventDecoder', () => {
  it.each([
    ['LF', 'event: a\ndata: 1\n\n'],
    ['CR', 'event: a\rdata: 1\r\r'],
    ['CRLF', 'event: a\r\ndata: 1\r\n\r\n'],
    ['a byte order mark', '\uFEFFevent: a\ndata: 1\n\n'],
    ['comments', ': hello\nevent: a\n:\ndata: 1\n\n: bye\n\n'],
    ['fields without the space', 'event:a\ndata:1\n\n'],
  ])('reads %s', (_name, stream) => {
    expect(decode([Buffer.from(stream)])).toEqual([{ type: 'a', data: '1', id: undefined }]);
  });

  it('joins data lines, and keeps all but one leading space', () => {
    expect(decode([Buffer.from('data:  a\ndata\ndata: b\n\n')])).toEqual([
      { type: 'message', data: ' a\n\nb', id: undefined },
    ]);
  });

  it('resets the event type at a blank line, with or without data', () => {
    expect(decode([Buffer.from('event: a\n\ndata: 1\n\n')])).toEqual([
      { type: 'message', data: '1', id: undefined },
    ]);
  });

  it('drops an event that the stream does not finish', () => {
    expect(decode([Buffer.from('data: 1\n\ndata: 2\n')])).toHaveLength(1);
  });

  it('reads ids, and ignores one with NULL', () => {
    const events = decode([Buffer.from('id: 7\ndata: a\n\nid: 8\0\ndata: b\n\nid\ndata: c\n\n')]);
    expect(events.map(({ id }) => id)).toEqual(['7', undefined, '']);
  });

  it('reads retry, if it is a number', () => {
    const retries: number[] = [];
    const decoder = new EventDecoder({
      maxEventBytes: 100,
      onEvent: () => {},
      onRetry: (ms) => retries.push(ms),
    });
    decoder.push(Buffer.from('retry: 20\n\nretry: soon\n\nretry: -1\n\n'));
    expect(retries).toEqual([20]);
  });

  it('does not wait for the LF of a CRLF that is split', () => {
    const events: StreamEvent[] = [];
    const decoder = new EventDecoder({ maxEventBytes: 100, onEvent: (e) => events.push(e) });
    decoder.push(Buffer.from('data: 1\r\n\r'));
    expect(events).toHaveLength(1);
    decoder.push(Buffer.from('\ndata: 2\r\n\r\n'));
    expect(events.map(({ data }) => data)).toEqual(['1', '2']);
  });

  it.each([
    ['a line that never ends', ['data: ', 'x'.repeat(80), 'x'.repeat(80)]],
    ['an event of many lines', Array.from({ length: 40 }, () => 'data: abc\n')],
    ['an event in one piece', [`data: ${'x'.repeat(160)}\n\n`]],
  ])('refuses %s over the limit', (_name, parts) => {
    const chunks = parts.map((part) => Buffer.from(part));
    expect(() => decode(chunks, 100)).toThrowError(
      expect.objectContaining({ code: 'limit-exceeded' }) as Error,
    );
  });

  it.each([
    ['empty data lines', 'data:\n'.repeat(100)],
    ['data lines of CRLF', 'data\r\n'.repeat(100)],
    ['names', 'event: a\n'.repeat(100)],
    ['comments between its lines', `data: ${'x'.repeat(20)}\n: ${'y'.repeat(2000)}\n`],
    ['a name without end', 'event: a\n'.concat('x'.repeat(1000))],
  ])('does not keep a multiple of the limit of an event of %s', (_name, part) => {
    const most = 100_000;
    const decoder = new EventDecoder({ maxEventBytes: most, onEvent: () => {} });
    const lines = part.split('\n').length - 1;
    let kept = 0;
    const push = (): void => {
      for (;;) {
        decoder.push(Buffer.from(part));
        kept += Math.max(part.length, lines * 64);
      }
    };
    expect(push).toThrowError(expect.objectContaining({ code: 'limit-exceeded' }) as Error);
    expect(kept).toBeLessThan(1.2 * most);
  });

  it('accepts an event of many lines within the limit', () => {
    const line = `data: ${'x'.repeat(70)}\n`;
    const chunks = [...Array<Buffer>(1000).fill(Buffer.from(line)), Buffer.from('\n')];
    expect(decode(chunks, 100_000)).toHaveLength(1);
    expect(decode([...chunks, ...chunks, ...chunks], 100_000)).toHaveLength(3);
  });

  it('keeps nothing of comments without a blank line', () => {
    expect(decode([...Array<Buffer>(500).fill(Buffer.from(': beat\n'))], 100)).toEqual([]);
  });

  it('accepts any number of comments of any total size', () => {
    const beat = Buffer.from(`: ${'x'.repeat(50)}\n\n`);
    expect(decode([...Array<Buffer>(50).fill(beat), Buffer.from('data: 1\n\n')], 100)).toHaveLength(
      1,
    );
  });

  it('agrees with the standard on any stream, split at any byte', () => {
    const piece = fc.constantFrom(
      ...'data event id retry other : a é 漢 😀 12'.split(' '),
      ...': / /\n/\r/\r\n/\n\n/\r\r/\r\n\r\n/\0/\uFEFF/data: x\n/id: 1\n'.split('/'),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (pieces, cuts) => {
          const stream = pieces.join('');
          expect(decode(split(Buffer.from(stream), cuts))).toEqual(reference(stream));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
