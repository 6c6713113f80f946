import { fileURLToPath } from 'node:url';
import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../packages/cli/src/demo/server.ts';
import { serveThings } from '../../packages/cli/test/things-server.ts';
import { runCli } from '../support/run-cli.ts';
import { command, everything, modernThings } from './support/servers.ts';
import { hasTerminal } from './support/terminal.ts';
import { openTerminal } from './support/terminal-screen.ts';

const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
const longwire = `${process.execPath} ${bin}`;

let demo: Serving;
let things: Serving;
beforeAll(async () => {
  demo = await serve({ create: () => createDemoServer() });
  things = await serveThings();
});
afterAll(() => Promise.all([demo.close(), things.close()]));

describe('of server-everything', () => {
  const server = command(everything, 'stdio');

  it.each<[string[], number, RegExp]>([
    [['read', 'demo://resource/static/document/features.md'], 0, /^# Everything Server/],
    [['read', 'demo://resource/dynamic/text/{resourceId}', 'resourceId=7'], 0, /^Resource 7: /],
    [['read', 'demo://resource/dynamic/blob/3'], 0, /^<demo:\S+> resource .* saved to /],
    [['read', 'demo://resource/dynamic/text/{resourceId}'], 2, /^$/],
    [['prompt', 'args-prompt', 'city=Paris'], 0, /^user:\nWhat's weather in Paris\?\n$/],
    [['prompt', 'args-prompt'], 2, /^$/],
    [['complete', 'completable-prompt', 'department=S'], 0, /^Sales\nSupport\n$/],
    [['complete', 'completable-prompt', 'name=', 'department=Sales'], 0, /^David\nEve\nFrank\n$/],
    [
      ['tools', 'get-sum'],
      0,
      /^get-sum: .*\n[^]*\n {2}a\*: number\n[^]*longwire call get-sum a=1 b=1/,
    ],
    [['tools', 'get-*', '--json'], 0, /^\[[^]*"get-sum"/],
  ])('%j: %i', async (words, code, printed) => {
    const ended = await runCli([...words, ...server]);
    expect([ended.code, ended.stdout]).toEqual([code, expect.stringMatching(printed)]);
  });
});

describe.runIf(hasTerminal)('at a terminal', () => {
  it('a text is shown without control sequences, and the prompt of the shell comes after it', async () => {
    await using terminal = await openTerminal(80, 24, { NO_COLOR: '1' });
    terminal.type(`${longwire} read ${things.sseUrl} things://raw; echo "code $?"\r`);
    expect(await terminal.shows(/^code 0$/m)).toContain('one\ntwo red\nthree\ncode 0');
  });

  it('all about a tool fits 40 columns', async () => {
    await using terminal = await openTerminal(40, 60, { NO_COLOR: '1', PAGER: 'cat' });
    terminal.type(`clear; ${longwire} tools ${demo.sseUrl} forecast; echo "code $?"\r`);
    const shown = await terminal.shows(/^code 0$/m);
    expect(shown).toContain(`Makes up the weather of the next days,
always the same for the same city.`);
    expect(shown).toContain(`      sky*: "sunny" | "cloudy" | "rain"
          | "wind" | "fog"`);
  });

  it('an image is drawn where the terminal can, and saved where it cannot', async () => {
    const read = `${longwire} read ${things.sseUrl} things://pixel.png; echo "code $?"\r`;
    await using kitty = await openTerminal(100, 24, { TERM: 'xterm-kitty' });
    kitty.type(read);
    expect(await kitty.shows(/^code 0$/m)).not.toContain('saved to');
    expect(kitty.bytes()).toContain('\u001b_Ga=T,f=100,q=2,m=0;iVBORw0KGgo');
    await using plain = await openTerminal(100, 24);
    plain.type(read);
    expect(await plain.shows(/^code 0$/m)).toMatch(/saved to/);
    expect(plain.bytes()).not.toContain('\u001b_G');
  });

  it('bytes are not written to it', async () => {
    await using terminal = await openTerminal(100, 24);
    terminal.type(`${longwire} read ${things.sseUrl} things://pixel.png --out -; echo "code $?"\r`);
    expect(await terminal.shows(/^code 2$/m)).toContain('stdout is a terminal');
  });

  it('arguments are read from it until Ctrl-D, and Ctrl-C ends that', async () => {
    await using terminal = await openTerminal(100, 24);
    const call = `${longwire} call ${demo.sseUrl} echo message=@-; echo "code $?"\r`;
    terminal.type(call);
    await terminal.shows(/^Reading from the terminal; Ctrl-D ends it\./m);
    terminal.type('typed\r\u0004');
    expect(await terminal.shows(/^code 0$/m)).toMatch(/^typed\ntyped\n/m);
    await using other = await openTerminal(100, 24);
    other.type(call);
    await other.shows(/^Reading from the terminal/m);
    other.type('\u0003');
    await other.shows(/Interrupted\.\ncode 130$/m);
  });
});

describe('of a server of the newest protocol', () => {
  const server = command(modernThings);

  it.each([
    [['read', 'note://one'], 'note://one is read'],
    [['read', 'user://{id}', 'id=7'], 'user://7 is read'],
    [['prompt', 'brief', 'tone=dry'], 'user:\nBe dry.\n'],
    [['complete', 'brief', 'tone=du'], 'dull\n'],
    [['complete', 'user://{id}', 'id=s'], 'seven\nsix\n'],
  ])('%j', async (words, printed) => {
    const { code, stdout, stderr } = await runCli([...words, ...server]);
    expect([code, stdout, stderr]).toEqual([0, printed, '']);
  });
});
