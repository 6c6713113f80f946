import { fileURLToPath } from 'node:url';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { expect, test } from 'vitest';
import { hasTerminal } from './support/terminal.ts';
import { openTerminal } from './support/terminal-screen.ts';

const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));

function serverOf(count: number): McpServer {
  const server = new McpServer({ name: 'many', version: '1' });
  for (let index = 1; index <= count; index++) {
    server.registerTool(`tool_${index}`, { description: 'One of many.' }, () => ({ content: [] }));
  }
  return server;
}

test.runIf(hasTerminal)('a list longer than the screen goes through the pager', async () => {
  await using serving = await serve({ create: () => serverOf(209) });
  await using terminal = await openTerminal(80, 24, { PAGER: 'tee seen | head -n 3' });
  await terminal.shows(/[$#]/);
  const list = `${process.execPath} ${bin} tools ${serving.url}`;
  terminal.type(`clear; ${list}; wc -l < seen\r`);
  expect(await terminal.shows(/^210$/m)).toMatch(/tool_2 +One of many\.\n210/);
  // A pager that is not there is none.
  terminal.type(`clear; PAGER=no-such-pager ${list}; echo "code $?"\r`);
  await terminal.shows(/tool_209 +One of many\.\s+code 0/);
  // Nor is one used where nobody looks.
  terminal.type(`clear; rm seen; ${list} | tail -n 1; ls seen; echo done\r`);
  await terminal.shows(/tool_209 +One of many\.\n.*No such file or directory\ndone/);
});

test.runIf(hasTerminal)('a list that fits is printed as it is', async () => {
  await using serving = await serve({ create: () => serverOf(3) });
  await using terminal = await openTerminal(80, 24, { PAGER: 'tee seen' });
  await terminal.shows(/[$#]/);
  terminal.type(`clear; ${process.execPath} ${bin} tools ${serving.url}; ls seen; echo done\r`);
  await terminal.shows(/tool_3 +One of many\.\n.*No such file or directory\ndone/);
});
