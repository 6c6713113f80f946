import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completions, parseFilter } from '../../src/index.ts';
import { pictureOf, STORY } from '../support/picture-of.ts';

const picture = pictureOf(...STORY);
const calls = [...picture.ended, ...picture.inFlight];

/** The numbers of the calls, and the names of the events, that a filter lets through. */
function found(text: string): (number | string)[] {
  const filter = parseFilter(text);
  return [
    ...calls
      .filter((call) => filter.matchesCall(call, picture.at))
      .map(({ call }) => call)
      .sort((a, b) => a - b),
    ...picture.events
      .filter((event) => filter.matchesEvent(event))
      .map((event) => (event.type === 'error' ? event.error.code : event.method.slice(14))),
  ];
}

const everything = [1, 2, 3, 4, 'message', 'protocol'];

describe('a filter finds', () => {
  it.each<[string, (number | string)[]]>([
    ['', everything],
    ['  ', everything],
    ['tool:search', [1]],
    ['tool:SEA*', [1]],
    ['tool:sea', []],
    ['tool:*r*', [1, 4]],
    ['tool:s*e*h', [1]],
    ['tool:search*search', []],
    ['prompt:greet', [3]],
    ['resource:"file:///a"', [2]],
    ['resource:file:///a', [2]],
    ['server:files', [3, 4]],
    ['server:market,files kind:call', [1, 2, 3, 4]],
    ['method:tools/*', [1, 4]],
    ['method:notifications/*', ['message']],
    ['kind:notification', ['message']],
    ['kind:error,notification', ['message', 'protocol']],
    ['level:warning', ['message']],
    ['level:>=notice', ['message']],
    ['level:>warning', []],
    ['status:running', [3]],
    ['status:ok', [1]],
    ['status:error', [2, 4, 'protocol']],
    ['status:failed', [2, 4]],
    ['status:ok,running', [1, 3]],
    ['certainty:unknown', [4]],
    ['certainty:outcome-unknown', [4]],
    ['certainty:answered', [2]],
    ['code:timeout', [4]],
    ['code:-32002', [2]],
    ['code:protocol', ['protocol']],
    ['duration:>500ms', [4]],
    ['duration:>0.5s', [4]],
    ['duration:<=10', [2]],
    ['duration:20ms..100ms', [1, 3]],
    ['progress:>=50%', [1]],
    ['progress:<0.5', []],
    ['attempts:>1', [1]],
    ['attempts:0', [3]],
    ['by:page', [1]],
    ['by:1', [2]],
    ['-tool:search', [2, 3, 4, 'message', 'protocol']],
    ['-server:market', [3, 4]],
    ['-status:ok -status:error', [3, 'message']],
    ['hot', ['message']],
    ['HOT', ['message']],
    ['"a <b>"', [1]],
    ['-"a <b>" tool:*', [4]],
    ['"no such" file', [2]],
    ['file:///a', [2]],
    ['tool:search status:error', []],
    // Somebody is about to write it.
    ['tool: status:ok', [1]],
    ['tool:search,', [1]],
    ['"no ans', [4]],
    ['-', [2]],
  ])('%s', (text, expected) => {
    expect(found(text)).toEqual(expected);
    expect(parseFilter(text).problems).toEqual([]);
  });
});

describe('what is wrong with a filter', () => {
  it.each([
    ['colour:red', 0, 10, /no colour/],
    ['hot duration:soon', 4, 17, /^duration: /],
    ['status:sad', 0, 10, /running, ok/],
    ['constructor:x', 0, 13, /no constructor/],
    ['level:loud', 0, 10, /warning/],
  ])('%s is said, and where', (text, from, to, message) => {
    const { problems } = parseFilter(text);
    expect(problems).toMatchObject([{ from, to }]);
    expect(problems[0]?.message).toMatch(message);
  });

  it('does not hide what the rest finds', () => {
    expect(found('status:sad tool:search')).toEqual([1]);
    expect(found('colour:red')).toEqual([]);
    expect(parseFilter('status:sad').isEmpty).toBe(true);
  });
});

it('any text is a filter, and quickly', () => {
  const words = fc.constantFrom('tool:', '"', '-', '*', ',', '\\', ':', '>', '..', ' ', 'a', '%');
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, fc.nat(), (text, caret) => {
      found(text);
      const { from, to } = completions(text, caret % (text.length + 1), picture);
      expect(from).toBeLessThanOrEqual(to);
      expect(to).toBeLessThanOrEqual(text.length);
    }),
  );
  const name = 'a'.repeat(100_000);
  const call = { call: 1, server: 'a', method: 'tools/call', name, at: 0, attempts: [] };
  expect(parseFilter(`tool:${'*a'.repeat(900)}*b`).matchesCall(call)).toBe(false);
});

describe('completions', () => {
  const listing = pictureOf(...STORY, {
    type: 'catalogue',
    kind: 'tools',
    items: [{ name: 'sell all, now' }, { name: 'resell' }, { name: 7 }],
  });
  /** `|` is where the caret is; what each completion makes of the text. */
  const completed = (marked: string): string[] => {
    const caret = marked.indexOf('|');
    const text = marked.replace('|', '');
    const { from, to, completions: offered } = completions(text, caret, listing);
    return offered.map((one) => text.slice(0, from) + one.text + text.slice(to));
  };

  it.each<[string, string[]]>([
    ['t|', ['tool:']],
    ['hot -st|', ['hot -status:']],
    ['server:|', ['server:files', 'server:market']],
    ['server:mar| hot', ['server:market hot']],
    ['server:market,f|', ['server:market,files']],
    ['tool:se|', ['tool:search', 'tool:"sell all, now"', 'tool:resell']],
    ['tool:"sell a|"', ['tool:"sell all, now"']],
    ['tool:x,"sell all, n|"', ['tool:x,"sell all, now"']],
    ['status:r|un', ['status:running', 'status:error', 'status:tool-error']],
    ['method:notif|', ['method:notifications/message']],
    ['code:|', ['code:protocol', 'code:server-error', 'code:timeout']],
    ['by:p|', ['by:page']],
    ['duration:|', []],
    ['nothing|', []],
  ])('of %s', (marked, expected) => {
    expect(completed(marked)).toEqual(expected);
  });

  it('of an empty filter are all keys, with what they find', () => {
    const { completions: keys } = completions('', 0, listing);
    expect(keys.length).toBeGreaterThan(10);
    for (const { text, about } of keys)
      expect([text, about]).toEqual([expect.stringMatching(/:$/), expect.any(String)]);
  });
});
