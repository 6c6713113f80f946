import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { until } from '../support/until.ts';
import {
  openSession,
  serveTimed,
  textOf,
  type TimedServer,
} from './support/session-at-terminal.ts';
import { hasTerminal } from './support/terminal.ts';
import type { TerminalScreen } from './support/terminal-screen.ts';

/** Keys as a terminal sends them. */
const [ENTER, TAB, ESCAPE, CTRL_C, CTRL_D, CTRL_R] = [
  '\r',
  '\t',
  '\u001b',
  '\u0003',
  '\u0004',
  '\u0012',
];
const [PASTE, PASTED] = ['\u001b[200~', '\u001b[201~'];

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));

let server: TimedServer;
beforeEach(async () => {
  server = await serveTimed();
});
afterEach(() => server.close());

/** What is on the screen, without what moves. */
function screenOf(terminal: TerminalScreen): string {
  return textOf(terminal).replaceAll(/^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/gm, '⠋');
}

/** That the terminal is as it was before, after the command ended with this code. */
async function expectRestored(terminal: TerminalScreen, code: number): Promise<void> {
  await terminal.shows(new RegExp(`^code ${code}$`, 'm'));
  const bytes = terminal.bytes().slice(0, terminal.bytes().lastIndexOf(`code ${code}`));
  for (const [set, unset] of [
    // The cursor, lines that go on below, and marks of what is pasted.
    ['\u001b[?25h', '\u001b[?25l'],
    ['\u001b[?7h', '\u001b[?7l'],
    ['\u001b[?2004l', '\u001b[?2004h'],
  ] as const) {
    expect(bytes.lastIndexOf(set)).toBeGreaterThanOrEqual(bytes.lastIndexOf(unset));
  }
  terminal.type('stty -g | cmp - before && echo as it was\r');
  await terminal.shows(/^as it was$/m);
}

describe.runIf(hasTerminal).each([
  [80, 24],
  [40, 20],
])('a terminal of %s columns and %s rows', (columns, rows) => {
  test('shows shell and chat as the pages have them', async () => {
    const screens: string[] = [];
    const keep = (title: string, terminal: TerminalScreen): void =>
      void screens.push(`=== ${title}\n\n${screenOf(terminal)}\n`);
    {
      await using terminal = await openSession('longwire shell market', {
        ...server,
        columns,
        rows,
      });
      await terminal.shows(/market> $/);
      terminal.type('ec');
      await terminal.shows(/market> ec$/);
      terminal.type(TAB);
      await terminal.shows(/market> echo $/);
      terminal.type(`${TAB}"hello"${ENTER}`);
      await terminal.shows(/^hello\nmarket> $/m);
      terminal.type(`echo message="${PASTE}two lines,\r\n漢字 and 👍${PASTED}"`);
      await terminal.shows(/👍"$/);
      keep('What is pasted waits for Enter', terminal);
      terminal.type(ENTER);
      await terminal.shows(/^漢字 and 👍\nmarket> $/m);
      terminal.type(`wait${ENTER}`);
      await terminal.shows(/^. wait\nmarket> $/m);
      terminal.type(`echo message=later${ENTER}echo mess`);
      await terminal.shows(/message=later\nmarket> echo mess$/);
      await server.log('prices are late');
      await terminal.shows(/log info: prices are late\n. wait\n/);
      keep('A call runs, a log message comes, and typing goes on', terminal);
      server.release();
      await terminal.shows(
        /^It was let go\.\nmarket> echo message=later\nlater\nmarket> echo mess$/m,
      );
      await server.log('the market is open');
      await terminal.shows(/^log info: the market is open\nmarket> echo mess$/m);
      terminal.type(`age=kept${ENTER}`);
      await terminal.shows(/^kept\nmarket> $/m);
      terminal.type('wat');
      await terminal.shows(/market> wat$/);
      terminal.type(TAB);
      await terminal.shows(/watch +show what[^]*watchful +Watches/);
      keep('Tab', terminal);
      terminal.type(`${CTRL_C}${CTRL_R}late`);
      await terminal.shows(/\(search\) late: echo message=later$/);
      keep('Ctrl-R', terminal);
      terminal.type(`${ESCAPE}`);
      await terminal.shows(/market> $/);
      terminal.type(`clear${CTRL_C}ask${ENTER}`);
      await terminal.shows(/Which color\?[^]*\(A\)nswer/);
      keep('The server asks', terminal);
      terminal.type(CTRL_C);
      await terminal.shows(/^cancel .*\nmarket> $/m);
      terminal.type(CTRL_D);
      await expectRestored(terminal, 0);
    }
    const claude = await startScriptedClaude([
      { text: 'I look.', calls: [{ name: 'wait' }] },
      { text: 'The market is open.' },
    ]);
    const env = { ANTHROPIC_BASE_URL: claude.url, ANTHROPIC_API_KEY: 'key-of-the-session-test' };
    {
      await using terminal = await openSession('longwire chat market --yes', {
        ...server,
        columns,
        rows,
        env,
      });
      await terminal.shows(/^> $/m);
      terminal.type(`${PASTE}Is it open?\nThe market, I mean.${PASTED}`);
      await terminal.shows(/I mean\.$/);
      keep('chat: what is pasted waits for Enter', terminal);
      terminal.type(ENTER);
      await terminal.shows(/wait/);
      await until(() => expect(terminal.rows().join('\n')).toMatch(/⠋|⠙|⠹|⠸|⠼|⠴|⠦|⠧|⠇|⠏/));
      terminal.type('typed ahead');
      await terminal.shows(/> typed ahead$/);
      server.release();
      await terminal.shows(/The market is open\.\n+> typed ahead$/);
      keep('chat: what was typed meanwhile is in the next line', terminal);
      terminal.type(`${CTRL_C}${CTRL_D}`);
      await expectRestored(terminal, 0);
    }
    await claude.close();
    await expect(screens.join('\n')).toMatchFileSnapshot(
      join(docs, `shell-${columns}x${rows}.txt`),
    );
  });
});

describe.runIf(hasTerminal)('Ctrl-C', () => {
  test('at the prompt clears the line, and quits when it is empty twice', async () => {
    await using terminal = await openSession('longwire shell market', server);
    await terminal.shows(/market> $/);
    terminal.type(`half a line`);
    await terminal.shows(/half a line$/);
    terminal.type(CTRL_C);
    await terminal.shows(/^market> half a line\^C\nmarket> $/m);
    terminal.type(`${PASTE}one\ntwo${PASTED}`);
    await terminal.shows(/two$/);
    terminal.type(CTRL_C);
    await terminal.shows(/two\^C\nmarket> $/);
    terminal.type(`${PASTE}a paste that does not end${CTRL_C}`);
    await terminal.shows(/does not end$/);
    terminal.type(`${CTRL_C}${CTRL_C}`);
    await terminal.shows(/Ctrl-C again leaves, and so does quit\.\nmarket> $/);
    // A line between begins anew.
    terminal.type(`echo message=on${ENTER}`);
    await terminal.shows(/^on\nmarket> $/m);
    terminal.type(CTRL_C);
    await terminal.shows(/\^C\nCtrl-C again leaves, and so does quit\.\nmarket> $/);
    terminal.type(CTRL_C);
    await expectRestored(terminal, 130);
  });

  test('stops the call that runs, and nothing that waits for it is run', async () => {
    await using terminal = await openSession('longwire shell market', server);
    await terminal.shows(/market> $/);
    terminal.type(`wait${ENTER}`);
    await terminal.shows(/^. wait\nmarket> $/m);
    terminal.type(`echo message=after${ENTER}half`);
    await terminal.shows(/after\nmarket> half$/);
    terminal.type(CTRL_C);
    await terminal.shows(/^The line that waited is not run; the key ↑ has it\.$/m);
    await terminal.shows(/^Stopped\.\nmarket> half$/m);
    await until(() => expect(server.cancelled).toBe(1));
    expect(terminal.rows().join('\n')).not.toMatch(/^after$/m);
    terminal.type(`${CTRL_C}\u001b[A`);
    await terminal.shows(/market> echo message=after$/);
    // Twice at a call: the second ends the session.
    terminal.type(`${CTRL_C}wait${ENTER}`);
    await terminal.shows(/^. wait\nmarket> $/m);
    terminal.type(`${CTRL_C}${CTRL_C}${CTRL_C}`);
    await expectRestored(terminal, 130);
  });

  test('ends a question only, and what was typed before it is no answer', async () => {
    await using terminal = await openSession('longwire shell market', server);
    await terminal.shows(/market> $/);
    terminal.type(`ask${ENTER}red${ENTER}`);
    await terminal.shows(/Which color\?[^]*\(A\)nswer/);
    terminal.type(CTRL_C);
    await terminal.shows(/^The question is cancelled\./m);
    await terminal.shows(/^cancel /m);
    // It is on the next line, if it was not typed too late for that.
    await terminal.shows(/market> (red)?[^>]*$/);
    expect(terminal.rows().join('\n')).not.toContain('accept');
    terminal.type(`${CTRL_C}${CTRL_C}`);
    await terminal.shows(/Ctrl-C again leaves/);
    terminal.type(CTRL_C);
    await expectRestored(terminal, 130);
  });

  test('in the own editor is of that editor, whose text waits for Enter', async () => {
    const editor =
      'sh -c \'trap "echo interrupted >> trapped" INT; echo editing; sleep 0.2; read word; printf "echo message=\\"%s\\"\\n" $word > $0\'';
    await using terminal = await openSession('longwire shell market', {
      ...server,
      env: { VISUAL: editor },
    });
    await terminal.shows(/market> $/);
    terminal.type('half\u0018\u0005');
    await terminal.shows(/^editing$/m);
    terminal.type(`${CTRL_C}`);
    await until(async () => expect(await terminal.shows(/editing/)).toBeTruthy());
    terminal.type(`word${ENTER}`);
    await terminal.shows(/market> echo message="word"$/);
    terminal.type(ENTER);
    await terminal.shows(/^word\nmarket> $/m);
    terminal.type(`clear${CTRL_C}\u000cedit${ENTER}`);
    await terminal.shows(/^market> edit\nediting$/);
    terminal.type(`again${ENTER}`);
    await terminal.shows(/market> echo message="again"$/);
    terminal.type(`${CTRL_C}${CTRL_D}`);
    await expectRestored(terminal, 0);
  });
});

describe.runIf(hasTerminal)('a terminal is as it was', () => {
  test.each(['SIGTERM', 'SIGHUP'] as const)('after %s', async (signal) => {
    await using terminal = await openSession('longwire shell market', server);
    await terminal.shows(/market> $/);
    terminal.type('half a line');
    await terminal.shows(/half a line$/);
    process.kill(terminal.foreground(), signal);
    await expectRestored(terminal, 130);
  });

  test('while it is suspended, and goes on with the same line', async () => {
    await using terminal = await openSession('longwire shell market', server);
    await terminal.shows(/market> $/);
    terminal.type('echo message=hi');
    await terminal.shows(/message=hi$/);
    terminal.type('\u001a');
    await terminal.shows(/Stopped/);
    terminal.type('stty -g | cmp - before && echo as it was\r');
    await terminal.shows(/^as it was$/m);
    terminal.type('fg\r');
    await terminal.shows(/market> echo message=hi$/);
    terminal.type(ENTER);
    await terminal.shows(/^hi\nmarket> $/m);
  });

  test('after a crash', async () => {
    const crash = 'process.on("SIGUSR2", () => { throw new Error("crash"); });';
    await using terminal = await openSession(
      `echo '${crash}' > crash.mjs; NODE_OPTIONS='--import ./crash.mjs' longwire shell market`,
      server,
    );
    await terminal.shows(/market> $/);
    process.kill(terminal.foreground(), 'SIGUSR2');
    await terminal.shows(/crash/);
    await expectRestored(terminal, 1);
  });
});

describe.runIf(hasTerminal)('the history', () => {
  test('is there in the next session, without secrets, for the user only', async () => {
    await using terminal = await openSession('longwire shell market', server);
    await terminal.shows(/market> $/);
    for (const line of [
      'echo message=one',
      ' echo message=hidden',
      'echo message=two password=hunter2',
    ]) {
      terminal.type(`${line}${ENTER}`);
    }
    await terminal.shows(/password/);
    terminal.type(CTRL_D);
    await expectRestored(terminal, 0);
    terminal.type('clear; longwire shell market\r');
    await terminal.shows(/market> $/);
    terminal.type('\u001b[A');
    await terminal.shows(/market> echo message=one$/);
    terminal.type(`${CTRL_C}${CTRL_D}`);
    await terminal.shows(/^code 0\n\$ $/m);
    terminal.type('clear; stat -c %a .local/state/longwire/history-shell\r');
    await terminal.shows(/^600$/m);
  });
});

test.runIf(hasTerminal)('a terminal that cannot move its cursor gets plain lines', async () => {
  await using terminal = await openSession('TERM=dumb longwire shell market', server);
  await terminal.shows(/market> $/);
  terminal.type(`echo message=hi${ENTER}`);
  await terminal.shows(/^market> echo message=hi\nhi\nmarket> $/m);
  terminal.type(CTRL_D);
  await expectRestored(terminal, 0);
});

test.runIf(hasTerminal)('a server that goes away is said, and comes back', async () => {
  await using terminal = await openSession('longwire shell market', server);
  await terminal.shows(/market> $/);
  terminal.type('echo message=hi');
  await terminal.shows(/message=hi$/);
  await server.close();
  await terminal.shows(/^market: reconnecting [^]*\nmarket> echo message=hi$/m);
  server = await serveTimed(Number(new URL(server.url).port));
  terminal.type(ENTER);
  await terminal.shows(/^market: ready again [^]*^hi\nmarket> $/m);
});
