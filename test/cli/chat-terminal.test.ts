import { McpServer } from '@modelcontextprotocol/server';
import { serve } from '@longwire/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { openTerminal } from './support/terminal-screen.ts';
import { hasTerminal, startAtTerminal } from './support/terminal.ts';

expectNothingLeftOpen();

const asked: unknown[] = [];
let server: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  server = await serve({
    create: () => {
      const mcp = new McpServer({ name: 'asking', version: '1' });
      mcp.registerTool('order', {}, async () => {
        const given = await mcp.server.elicitInput({
          message: 'How many?',
          requestedSchema: {
            type: 'object',
            properties: { count: { type: 'integer', minimum: 1 } },
            required: ['count'],
          },
        });
        asked.push(given);
        return { content: [{ type: 'text', text: `ordered: ${given.action}` }] };
      });
      return mcp;
    },
  });
});
afterAll(() => server.close());

const markdown = `# Prices

Here is **all** of it:

| name | price |
|------|------:|
| AAPL | 1 |

1. \`buy\`
2. sell

\`\`\`sh
longwire \u001b]0;owned\u0007call
\`\`\`
The end.`;

test.runIf(hasTerminal)('answers are shown as what their Markdown means', async () => {
  const claude = await startScriptedClaude([{ text: markdown }]);
  const env = { ANTHROPIC_BASE_URL: claude.url, ANTHROPIC_API_KEY: 'key-of-the-terminal-test' };
  {
    await using command = await startAtTerminal(['chat', server.url, '-p', 'Prices?'], {
      env,
    });
    const shown = await command.shows(/The end\./);
    const lines = shown
      .slice(shown.indexOf('# Prices'))
      .replaceAll(/. Claude is writing/g, '')
      .split(/[\r\n]+/)
      .map((line) => line.trimEnd());
    expect(lines.filter((line) => line !== '')).toEqual([
      '# Prices',
      'Here is all of it:',
      'name  price',
      'AAPL  1',
      '1. `buy`',
      '2. sell',
      '  sh:',
      '  longwire call',
      'The end.',
    ]);
    expect(await command.ended).toBe(0);
  }
  await claude.close();
});

test.runIf(hasTerminal)('a tool that is refused for good is not asked about again', async () => {
  asked.length = 0;
  const order = { calls: [{ name: 'order' }] };
  const claude = await startScriptedClaude([order, order, { text: 'Then not.' }]);
  const env = { ANTHROPIC_BASE_URL: claude.url, ANTHROPIC_API_KEY: 'key-of-the-terminal-test' };
  {
    await using command = await startAtTerminal(['chat', server.url, '-p', 'Order'], { env });
    await command.shows(/ne\(v\)er, \(N\)o/);
    command.type('never\r');
    expect(await command.shows(/Then not\./)).toContain('refused this tool for the whole');
    expect(await command.ended).toBe(0);
  }
  const bodies = claude.bodies();
  await claude.close();
  expect(asked).toEqual([]);
  for (const body of bodies.slice(1)) {
    expect(JSON.stringify(body.messages.at(-1))).toContain('do not call it again');
  }
});

test.runIf(hasTerminal)('a server asks while Claude uses its tool, on a small screen', async () => {
  asked.length = 0;
  const claude = await startScriptedClaude([{ calls: [{ name: 'order' }] }, { text: 'All done.' }]);
  {
    const env = { ANTHROPIC_BASE_URL: claude.url, ANTHROPIC_API_KEY: 'key-of-the-terminal-test' };
    const bin = new URL('../../packages/cli/dist/bin.js', import.meta.url).pathname;
    await using terminal = await openTerminal(40, 20, env);
    terminal.type(`clear; ${process.execPath} ${bin} chat ${server.url}\r`);
    await terminal.shows(/^> *$/m);
    terminal.type('Order\r');
    await terminal.shows(/\(N\)o/);
    terminal.type('y\r');
    await terminal.shows(/│ How many\?[^]*\(A\)nswer/);
    terminal.type('\r');
    await terminal.shows(/1\/1 "count"/);
    terminal.type('0\r');
    await terminal.shows(/write at least 1/);
    terminal.type('\u00153\r');
    await terminal.shows(/"count": 3[^]*\(S\)end/);
    terminal.type('\r');
    await terminal.shows(/All done\.[^]*^> *$/m);
    terminal.type('/quit\r');
  }
  await claude.close();
  expect(asked).toEqual([{ action: 'accept', content: { count: 3 } }]);
});
