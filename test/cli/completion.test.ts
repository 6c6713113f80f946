import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDemoServer } from '../../packages/cli/src/demo/server.ts';
import { until } from '../support/until.ts';
import { hasTerminal } from './support/terminal.ts';
import { openTerminal, type TerminalScreen } from './support/terminal-screen.ts';

const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));

/** How each shell is started, and told to complete. Not all are on every machine; in CI they are. */
const shells = {
  bash: {
    start: 'bash --norc --noprofile -i',
    load: 'source <(longwire completion bash)',
  },
  zsh: {
    start: 'zsh -f -i',
    load: 'autoload -U compinit; compinit -u; source <(longwire completion zsh)',
  },
  fish: {
    start: 'fish --no-config -i',
    load: 'longwire completion fish | source',
  },
} as const;

const isThere = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;
const [there, missing] = [true, false].map((wanted) =>
  (Object.keys(shells) as (keyof typeof shells)[]).filter((shell) => isThere(shell) === wanted),
) as [(keyof typeof shells)[], string[]];
if (missing.length > 0) {
  const lack = `not installed here, and not tested: ${missing.join(', ')}`;
  if (process.env['CI'] !== undefined) throw new Error(lack);
  process.stderr.write(`${lack}\n`);
}

let serving: Serving;
let url: string;
beforeAll(async () => {
  serving = await serve({ create: () => createDemoServer() });
  url = serving.url;
});
afterAll(async () => {
  await serving.close();
});

/** A terminal in which that shell completes `longwire`. */
async function openShell(shell: keyof typeof shells): Promise<TerminalScreen> {
  const terminal = await openTerminal(100, 40);
  await terminal.shows(/[$#]/);
  const { start, load } = shells[shell];
  terminal.type('mkdir bin\r');
  terminal.type(`printf '#!/bin/sh\\nexec ${process.execPath} ${bin} "$@"\\n' > bin/longwire\r`);
  terminal.type(`chmod +x bin/longwire; export PATH="$PWD/bin:$PATH"; exec ${start}\r`);
  await terminal.shows(/exec [^]*\n.*[$#%>] ?$/m);
  terminal.type(`${load} && echo load'ed'\r`);
  await terminal.shows(/^loaded/m);
  return terminal;
}

/** What stands on the line that is typed, once it ends so. */
async function completed(terminal: TerminalScreen, typed: string, end: string): Promise<void> {
  terminal.type(`${typed}\t`);
  await until(() => {
    const line = terminal
      .rows()
      .filter((row) => row !== '')
      .join('\n');
    expect(line).toContain(end);
  });
  // Empties the line.
  terminal.type('\u0015');
}

describe.runIf(hasTerminal).each(there)('%s', (shell) => {
  test('completes commands, options, servers, tools and arguments', async () => {
    await using terminal = await openShell(shell);
    terminal.type(`longwire tools ${url} | wc -l\r`);
    await terminal.shows(/^ *\d+$/m);
    await completed(terminal, 'longwire insp', 'longwire inspect');
    await completed(terminal, 'longwire tools --prot', 'longwire tools --protocol');
    await completed(terminal, 'longwire tools --transport stre', '--transport streamable-http');
    await completed(terminal, `longwire call ${url.slice(0, -4)}`, `longwire call ${url}`);
    await completed(terminal, `longwire call ${url} stream_st`, `${url} stream_stock_prices`);
    await completed(terminal, `longwire call ${url} echo mess`, `${url} echo message=`);
  });
});
