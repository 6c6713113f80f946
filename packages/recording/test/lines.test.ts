import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createHeader,
  LineReader,
  parseRecording,
  Picture,
  RecordingError,
  toLine,
} from '../src/index.ts';
import { blocksOf } from '../../../test/docs/blocks.ts';
import { anyLine } from './support/lines.ts';
import { linesOf, STORY } from './support/picture-of.ts';

const header = toLine(createHeader('test', 5));
const pong = { type: 'notification', at: 1, server: 'a', method: 'pong' } as const;
const skippedOf = (text: string, bounds = {}) => {
  const { lines, skipped } = parseRecording(header + text, bounds);
  return { lines: lines.length, ...skipped };
};

it('what was written is read, however its chunks are cut', () => {
  const recordings = fc.array(anyLine, { maxLength: 10 });
  fc.assert(
    fc.property(recordings, fc.integer({ min: 1, max: 50 }), (lines, size) => {
      const text = header + lines.map((line) => toLine(line)).join('');
      const reader = new LineReader();
      const read = [];
      for (let at = 0; at < text.length; at += size) {
        read.push(...reader.push(text.slice(at, at + size)));
      }
      read.push(...reader.end());
      expect(read).toEqual(JSON.parse(JSON.stringify(lines)));
      expect(reader.header).toEqual({ type: 'recording', version: 1, at: 5, by: 'test' });
      expect(reader.skipped).toEqual({ unknown: 0, broken: 0, tooLarge: 0 });
    }),
  );
});

describe('what it does not understand is left out and counted', () => {
  const good = toLine(pong);
  it.each([
    ['a last line without its end', good + good.slice(0, -8), { lines: 1, broken: 1 }],
    ['a last line without a line break', good + good.trim(), { lines: 2 }],
    ['Windows line ends and empty lines', good.replace('\n', '\r\n\r\n') + good, { lines: 2 }],
    ['a type of later', '{"type":"later","at":1}\n' + good, { lines: 1, unknown: 1 }],
    ['a type that all objects have', '{"type":"constructor"}\n' + good, { lines: 1, unknown: 1 }],
    ['no object', `7\n[]\nnull\n${good}`, { lines: 1, broken: 3 }],
    [
      'a member of another type',
      good.replace('"at":1', '"at":"1"') + good,
      { lines: 1, broken: 1 },
    ],
    ['a missing member', good.replace('"method"', '"way"') + good, { lines: 1, broken: 1 }],
    ['a number that is none', good.replace('"at":1', '"at":1e999') + good, { lines: 1, broken: 1 }],
    [
      'a time that no calendar has',
      good.replace('"at":1', '"at":1e300') + '{"type":"gap","at":-1e16,"count":1}\n' + good,
      { lines: 1, broken: 2 },
    ],
  ])('%s', (_what, text, counts) => {
    expect(skippedOf(text)).toEqual({ unknown: 0, broken: 0, tooLarge: 0, ...counts });
  });

  it('what is too long or too deep', () => {
    const long = toLine({ ...pong, params: 'x'.repeat(1000) });
    const deep = toLine({ ...pong, params: JSON.parse('['.repeat(50) + ']'.repeat(50)) });
    const brackets = toLine({ ...pong, params: '"[['.repeat(50) });
    const counts = skippedOf(long + deep + brackets + toLine(pong), {
      maxLineChars: 500,
      maxDepth: 40,
    });
    expect(counts).toEqual({ lines: 2, unknown: 0, broken: 0, tooLarge: 2 });
  });

  it('members that a type does not have', () => {
    const forged = {
      type: 'call',
      at: 1,
      server: 'a',
      call: 1,
      method: 'ping',
      end: {},
      attempts: 1,
    };
    const [line] = parseRecording(`${header}${JSON.stringify(forged)}`).lines;
    expect(line).toEqual({ type: 'call', at: 1, server: 'a', call: 1, method: 'ping' });
  });
});

it.each([
  ['', 'not-a-recording'],
  ['\n\n', 'not-a-recording'],
  ['{"servers":{}}', 'not-a-recording'],
  [toLine(pong), 'not-a-recording'],
  ['{"type":"recording"', 'not-a-recording'],
  ['{"type":"recording","version":1}', 'not-a-recording'],
  ['{"type":"recording","version":2,"at":1,"by":"x"}', 'version'],
])('%j is refused as %s', (text, code) => {
  let thrown: unknown;
  try {
    parseRecording(text);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(RecordingError);
  expect(thrown).toMatchObject({ code });
  if (code === 'version') expect((thrown as Error).message).toMatch(/version 2 .* version 1$/);
});

describe('docs/recording.md', () => {
  const examples = blocksOf('docs/recording.md')
    .filter(({ language }) => language === 'json')
    .map(({ text }) => JSON.stringify(JSON.parse(text)));

  it('has an example of each type, and all are read', () => {
    const { lines, skipped } = parseRecording(examples.join('\n'));
    expect(skipped).toEqual({ unknown: 0, broken: 0, tooLarge: 0 });
    expect(lines).toEqual(examples.slice(1).map((text) => JSON.parse(text) as unknown));
    const types = new Set(lines.map(({ type }) => type));
    expect(types).toEqual(
      new Set([
        ...linesOf(STORY).map(({ type }) => type),
        'catalogue',
        'authorization',
        'health',
        'sessions',
        'message',
        'exchange',
        'process',
        'output',
        'gap',
        'task',
      ]),
    );
  });

  it('its examples are one story', () => {
    const picture = new Picture();
    for (const line of parseRecording(examples.join('\n')).lines) picture.apply(line);
    const [call] = picture.ended;
    expect(call).toMatchObject({ name: 'search', end: { outcome: 'result' } });
    expect(call?.attempts.map(({ cause }) => cause?.code)).toEqual([undefined, 'connection-lost']);
    expect([...picture.inFlight]).toEqual([]);
    expect(picture.lost).toBe(12);
  });
});
