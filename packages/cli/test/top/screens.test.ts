import { readFileSync } from 'node:fs';
import { beforeAll, expect, it, vi } from 'vitest';
import { displayWidth, loadWideText } from '../../src/display-width.ts';
import { HELP } from '../../src/top/keys.ts';
import { createScene, NOW } from './scene.ts';
import { OpenTop } from './support.ts';

// Times of day are those of the reader; here they are the same for everyone.
vi.hoisted(() => (process.env['TZ'] = 'UTC'));
beforeAll(loadWideText);

/** `npx vitest run packages/cli/test/top/screens.test.ts --update` writes the screens of the docs. */
const docs = new URL('../../../../docs/', import.meta.url).pathname;

it.each([
  [80, 24],
  [160, 50],
])('shows %i × %i as docs/top-*.txt have it', async (columns, rows) => {
  const top = new OpenTop(createScene());
  top.press('⇥');
  await expect(`${top.text(columns, rows)}\n`).toMatchFileSnapshot(
    `${docs}top-${columns}x${rows}.txt`,
  );
});

it('opens a call that was sent again, with what caused that', () => {
  const top = new OpenTop(createScene());
  top.press('/what survives⏎⇥⏎');
  expect(top.text()).toMatchInlineSnapshot(`
    "longwire top  ● live 14:03:59  3 of 4 ready  2 in flight  1.6 calls/s  5 failed
    Call 241 · search  lines 1 to 21 of 26
      Outcome     ✓ result
                  It ran, and this is its result.
      Server      search
      Method      tools/call
      Began       14:03:56.220
      Took        800 ms
      Sent        2×

    WHAT HAPPENED
      ● Called  14:03:56.220
      → Sent  14:03:56.221
      ⚡ Connection lost  14:03:56.420
          socket hang up
      ⟳ Sent again, attempt 2  14:03:56.821
          Its tool only reads (readOnlyHint).
      ✓ Answered  14:03:57.020
          It ran, and this is its result.

    ARGUMENTS
      {
        "text": "what survives",
    Esc back  j k scroll  c cancels  q ends"
  `);
});

it('opens a server', () => {
  const top = new OpenTop(createScene());
  top.press('↓↓↓⏎');
  expect(top.text(80, 40)).toMatchInlineSnapshot(`
    "longwire top  ● live 14:03:59  3 of 4 ready  2 in flight  1.6 calls/s  5 failed
    search
      State       ● ready  since 14:03:56.820
                  Requests are sent at once.
      Target      https://search.example/sse
      Transport   sse 2024-11-05
      Is          search 1.4.0
      Up          2.3 s
      Reconnects  1
      In flight   1
      Calls       50, 0.4 a second
      p50, p95    154 ms, 154 ms
      Errors      ?1
      Events      21
      Tools       1, about 12 tokens

    CONNECTION
      14:03:56.820  ● ready
      14:03:56.420  ↻ reconnecting  socket hang up
      14:00:49.160  ● ready

    TOOLS THAT WERE CALLED
      search  49×, p50 154 ms, p95 154 ms
















    Esc back  j k scroll  q ends"
  `);
});

it('shows the sessions of a server that is watched itself, and cancels nothing of a page that only shows', () => {
  const scene = createScene();
  const open = [
    { transport: 'streamable-http', protocolVersion: '2025-11-25', count: 12 },
    { transport: 'sse', count: 2 },
  ];
  scene.apply({ type: 'sessions', at: NOW, server: 'market', open });
  const top = new OpenTop(scene);
  top.canCancel = false;
  expect(top.text()).toMatch(/SERVERS 4 .* ERRORS +SESSIONS\n> market .* 14\n/);
  top.press('⏎');
  expect(top.text()).toMatch(/Sessions +14: 12 streamable-http 2025-11-25, 2 sse/);
  top.press('⎋⇥c');
  expect(top.text()).toMatch(/\nThis page only shows: nothing can be cancelled from it\.$/);
});

it('says since when it is not live, and why, until it is', () => {
  const top = new OpenTop(createScene());
  top.away = { since: NOW - 61_000, why: 'nothing listens there' };
  const [title = '', last = ''] = [top.rows()[0], top.rows().at(-1)];
  expect(title).toMatch(/^longwire top {2}○ not live since 14:02:58/);
  expect(last).toBe('nothing listens there');
  top.away = undefined;
  expect(top.rows()[0]).toMatch(/● live/);
});

it('is readable at 40 columns', () => {
  expect(new OpenTop(createScene()).text(40, 20)).toMatchInlineSnapshot(`
    "longwire top  ● live 14:03:59  3 of 4 r…
    » SERVERS 4       STATE          CALLS/S
    > market          ● ready            0.5
      files           ● ready            0.4
      search          ● ready            0.4
      alerts          ↻ reconnecting     0.3
      CALLS 248… OUTCOME                TOOK
      build_rep… ███░░░░░ 40 %        12.4 s
      search {"… … running            700 ms
      read_file… ✗ tool-error          10 ms
      quote {"s… ✗ server-error       120 ms
      run_check… ✗ connect-failed     120 ms
      write_fil… ✗ forbidden          120 ms
      EVENTS 81   SAYS
      ✗ error     connection-lost: socket h…
      · debug     watch: /srv/notes.md chan…
      ▲ warning   index: segment 4211 is sl…
      ‼ critical disk: disk of db-2 is nea…
      i info      exchange: opening auction…
    ? keys  / filter  Enter opens  Tab next…"
  `);
});

it('shows all of what is opened at 40 columns', () => {
  const top = new OpenTop(createScene());
  top.press('↓↓↓⏎');
  expect(top.text(40, 40)).toMatchInlineSnapshot(`
    "longwire top  ● live 14:03:59  3 of 4 r…
    search
      State       ● ready
                  since 14:03:56.820
                  Requests are sent at once.
      Target      https://search.example/sse
      Transport   sse 2024-11-05
      Is          search 1.4.0
      Up          2.3 s
      Reconnects  1
      In flight   1
      Calls       50, 0.4 a second
      p50, p95    154 ms, 154 ms
      Errors      ?1
      Events      21
      Tools       1, about 12 tokens

    CONNECTION
      14:03:56.820  ● ready
      14:03:56.420  ↻ reconnecting
                    socket hang up
      14:00:49.160  ● ready

    TOOLS THAT WERE CALLED
      search  49×, p50 154 ms, p95 154 ms














    Esc back  j k scroll  q ends"
  `);
  top.press('⎋?');
  expect(top.text(40, 40)).toMatchInlineSnapshot(`
    "longwire top  ● live 14:03:59  3 of 4 r…
    Keys  lines 1 to 37 of 41
    EVERYWHERE
      ?               shows these keys
      q               ends it; so does
                      Ctrl-C
      Ctrl-Z          suspends it; fg goes
                      on
      Ctrl-L          draws the screen anew
    LISTS
      Tab, Shift-Tab  goes to the next list,
                      or the one before
      j k, arrows     selects a row; so do
                      PgUp, PgDn, g, G,
                      Home, End
      Enter           opens the row: a call,
                      an event, or a server
      Esc             goes back, or clears
                      the filter, or goes to
                      the first row
      < >             sorts by the column
                      before, or the next
      r               turns the order round
      z               shows one list on all
                      of the screen, or all
                      lists again
    FILTER
      /               filters all lists; Tab
                      completes, Enter keeps
                      it, Esc does not
      f               shows only the server
                      of the selected row
    TIME AND CALLS
      Space           holds the screen, or
                      goes on; in a
                      recording, halts it
      c               cancels the selected
                      call, after asking
      [ ]             shows a recording
    Esc back  j k scroll  q ends"
  `);
});

it('has a line for every row and no line too wide, on a screen of any size', () => {
  const top = new OpenTop(createScene());
  const screens = ['', '?', '⏎', '⎋⎋⇥⏎', '⎋⇥⏎', '⎋/', 's', '⎋z'];
  for (const keys of screens) {
    top.press(keys);
    for (const columns of [1, 3, 20, 39, 80, 300]) {
      for (const rows of [1, 2, 5, 9, 24, 60]) {
        const shown = top.rows(columns, rows);
        expect(shown).toHaveLength(rows);
        expect(shown.filter((row) => displayWidth(row) > columns)).toEqual([]);
      }
    }
  }
});

it('does what docs/top.md says of its keys', () => {
  const page = readFileSync(`${docs}top.md`, 'utf8');
  const rows = [...page.matchAll(/^\| `([^`]+)` +\| (.*?) +\|$/gm)].map(([, key, does]) => [
    key,
    does,
  ]);
  const keys = HELP.flatMap(([, lines]) => lines.map(([key, does]) => [key, does]));
  expect(rows).toEqual(expect.arrayContaining(keys));
});
