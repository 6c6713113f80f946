import { Picture, type CallPicture, type RecordedLine } from '@longwire/recording';
import { beforeAll, expect, it } from 'vitest';
import { loadWideText } from '../../src/display-width.ts';
import { createScene, NOW } from './scene.ts';
import { OpenTop } from './support.ts';

beforeAll(loadWideText);

const server = 'market';
const call = (number: number, name: string): RecordedLine[] => [
  { type: 'call', at: NOW, server, call: number, method: 'tools/call', name },
  { type: 'end', at: NOW + 5, server, call: number, outcome: 'result', durationMs: 5 },
];

function pictureOf(...lines: readonly RecordedLine[]): Picture {
  const picture = new Picture();
  for (const line of lines) picture.apply(line);
  return picture;
}

/** The row that keys are about. */
const selectedIn = (top: OpenTop): string | undefined =>
  top.rows().find((row) => row.startsWith('> '));
/** The names of the calls that are shown. */
const callsIn = (top: OpenTop): string[] =>
  top.rows().flatMap((row) => /^[> ] (call-\w+)/.exec(row)?.[1] ?? []);

it('follows the newest at the top, and leaves a selected row where it is elsewhere', () => {
  const add = (number: number): void =>
    call(number, `call-${number}`).forEach((line) => picture.apply(line));
  const picture = new Picture();
  for (let number = 1; number <= 40; number++) add(number);
  const top = new OpenTop(picture);
  top.press('⇥');
  expect(selectedIn(top)).toContain('call-40');
  add(41);
  expect(selectedIn(top)).toContain('call-41');
  top.press('↓');
  expect(selectedIn(top)).toContain('call-40');
  const before = callsIn(top);
  for (let number = 42; number <= 60; number++) add(number);
  // The rows stay where they are on the screen, and the head says that there are newer ones.
  expect(callsIn(top)).toEqual(before);
  expect(selectedIn(top)).toContain('call-40');
  expect(top.text()).toMatch(/CALLS 60 · 19 above/);
  top.press('⎋');
  expect(selectedIn(top)).toContain('call-60');
});

it('sorts by the column before and the next, and the other way round', () => {
  const top = new OpenTop(createScene());
  const names = (): string[] =>
    top
      .rows()
      .slice(2, 6)
      .map((row) => row.slice(2, 8).trim());
  const unsorted = names();
  expect(unsorted).toEqual(['market', 'files', 'search', 'alerts']);
  top.press('>');
  expect([top.rows()[1]?.slice(0, 12), names()]).toEqual([
    '» SERVERS 4▾',
    ['alerts', 'files', 'market', 'search'],
  ]);
  top.press('r');
  expect([top.rows()[1]?.slice(0, 12), names()]).toEqual([
    '» SERVERS 4▴',
    ['search', 'market', 'files', 'alerts'],
  ]);
  top.press('<');
  expect(names()).toEqual(unsorted);
  // Beyond the first column comes the last one: reconnects.
  top.press('<');
  expect(names()[0]).toBe('search');
});

it('filters while it is written, completes, and says what is wrong', () => {
  const top = new OpenTop(createScene());
  top.press('/certainty:unknown');
  expect(top.text()).toMatch(/CALLS 1 [^]*reindex/);
  expect(top.view.frame(80, 24).cursor).toEqual({ row: 23, column: 18 });
  // What there is is offered; what is taken has a blank after it.
  top.press('⌫⌫⌫⌫⌫⌫⌫');
  expect(top.rows().slice(-3, -1)).toEqual(['  outcome-unknown', '  refused']);
  top.press('↓⏎');
  expect(top.rows().at(-1)).toBe('/certainty:answered ');
  top.press('⎋');
  expect(top.text()).toMatch(/CALLS 248[^]*\? keys/);
  top.press('/statsu:error⏎');
  expect(top.rows().at(-1)).toBe('/statsu:error  there is no statsu: it is looked for as a text');
  top.press('⎋');
  top.press('⇥⇥f');
  expect(top.rows().at(-1)).toBe('/server:search  Esc clears it');
  top.press('f');
  expect(top.rows().at(-1)).toMatch(/^\? keys/);
});

it('asks before it cancels, and only what runs', () => {
  const top = new OpenTop(createScene());
  expect(top.press('c')).toBeUndefined();
  expect(top.rows().at(-1)).toBe('Select a call that runs: Tab goes to the calls.');
  expect(top.press('⇥c')).toBeUndefined();
  expect(top.rows().at(-1)).toMatch(
    /^Cancel call \d+, build_report on market\? It may have run\. y n$/,
  );
  expect(top.press('n')).toBeUndefined();
  expect(top.press('cy')).toEqual({ type: 'cancel', call: expect.any(Number) });
  expect(top.press('↓↓c')).toBeUndefined();
  expect(top.rows().at(-1)).toBe('This call has ended.');
  top.press('⏎');
  expect(top.press('cy')).toBeUndefined();
});

it('holds the screen with all that is on it', () => {
  const picture = pictureOf({
    type: 'call',
    at: NOW - 5000,
    server,
    call: 1,
    method: 'tools/call',
    name: 'slow',
  });
  const top = new OpenTop(picture);
  top.press('⇥ ');
  const held = top.text();
  expect(held).toMatch(/❚❚ held at .*[^]*slow +market +… running +5\.0 s/);
  top.now += 60_000;
  picture.apply({ type: 'end', at: NOW, server, call: 1, outcome: 'result', durationMs: 5000 });
  expect(top.text()).toBe(held);
  top.press(' ');
  expect(top.text()).toMatch(/● live .*[^]*slow +market +✓ result/);
});

it('moves in a recording, and calls nothing there', () => {
  const top = new OpenTop(createScene());
  top.replay = {
    from: NOW - 200_000,
    to: NOW,
    at: NOW - 100_000,
    speed: 1,
    playing: true,
    file: 'r.ndjson',
  };
  expect(top.rows()[0]).toMatch(/^r\.ndjson {2}▶ 1× \d\d:\d\d:\d\d 50 % /);
  const asked = (key: string): unknown => {
    const request = top.press(key);
    return request?.type === 'replay' ? request.request : request;
  };
  expect([' ', ']', '[', '→', '←'].map(asked)).toEqual([
    { playing: false },
    { speed: 2 },
    { speed: 1 },
    { at: NOW - 90_000 },
    { at: NOW - 110_000 },
  ]);
  top.press('⇥c');
  expect(top.rows().at(-1)).toBe('This is a recording: nothing can be cancelled.');
});

it('scrolls what is opened, and goes back', () => {
  const text = Array.from({ length: 100 }, (_, row) => `row ${row}`).join('\n');
  const result = { content: [{ type: 'text', text }] };
  const [begun, ended] = call(1, 'long') as [RecordedLine, RecordedLine];
  const top = new OpenTop(pictureOf(begun, { ...ended, result } as RecordedLine));
  expect(top.press('⇥⏎')).toEqual({ type: 'load', call: 1 });
  expect(top.text()).toMatch(/^Call 1 · long {2}lines 1 to 21 of \d+$/m);
  top.press('G');
  expect(top.text()).toMatch(/ {2}row 99$/m);
  top.press('kg');
  expect(top.text()).toMatch(/Outcome +✓ result/);
  top.press('⎋');
  expect(selectedIn(top)).toContain('long');
});

it('shows texts of servers without what acts on a terminal or has no known width', () => {
  const evil =
    'a\u001b[31mb\u001b]0;title\u0007c\u202ed\u200be\u0000f\r\n\tg\u0300\u0301\u0302\u0303h\u00a0i';
  const top = new OpenTop(
    pictureOf(
      { type: 'server', at: NOW, server: evil, target: evil },
      {
        type: 'notification',
        at: NOW,
        server: evil,
        method: 'notifications/message',
        params: { data: evil },
      },
      {
        type: 'call',
        at: NOW,
        server: evil,
        call: 1,
        method: 'tools/call',
        name: evil,
        arguments: { evil },
      },
    ),
  );
  const screens = [top.text(), ...['⏎', '⎋⇥⏎', '⎋⇥⏎'].map((keys) => (top.press(keys), top.text()))];
  for (const screen of screens) {
    expect(screen).toMatch(/abcdef/);
    expect(screen).not.toMatch(/[^\P{C}\n]/u);
  }
});

it('shows a value of megabytes by its beginning', () => {
  const [begun, ended] = call(1, 'long') as [RecordedLine, RecordedLine];
  const picture = pictureOf(begun, ended);
  const top = new OpenTop(picture);
  top.press('⇥⏎');
  const { end, ...known } = picture.find(1) as CallPicture;
  const text = `${'é日'.repeat(500_000)}the end`;
  const result = { content: [{ type: 'text', text }] };
  top.view.setWhole({ ...known, ...(end !== undefined && { end: { ...end, result } }) });
  top.rows();
  top.press('G');
  expect(top.text()).toMatch(/ {2}é日é日[^]*… 977 KiB in all$/m);
});
