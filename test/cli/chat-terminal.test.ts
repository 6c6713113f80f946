import { mkdtemp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { McpServer } from '@modelcontextprotocol/server';
import { serve } from '@longwire/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { openTerminal, type TerminalScreen } from './support/terminal-screen.ts';
import { hasTerminal, startAtTerminal } from './support/terminal.ts';

expectNothingLeftOpen();

const asked: unknown[] = [];
let asking: NodeJS.Timeout | undefined;
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
      mcp.registerTool('later', {}, async () => {
        const ask = (): void =>
          void mcp.server
            .elicitInput({
              message: 'Still there?',
              requestedSchema: { type: 'object', properties: {} },
            })
            .then((given) => asked.push(given))
            .catch((error: unknown) => asked.push(error));
        asking = setTimeout(ask, 300);
        return { content: [{ type: 'text', text: 'more comes later' }] };
      });
      return mcp;
    },
  });
});
afterAll(async () => {
  clearTimeout(asking);
  await server.close();
});

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

test.runIf(hasTerminal).each([
  [80, 24],
  [40, 20],
] as const)('the screen of %i×%i is that of docs', async (columns, rows) => {
  asked.length = 0;
  const answer =
    '**Ordered.** You have:\n\n| what | count |\n|---|---|\n| tea | 3 |\n\nAnything else?';
  const claude = await startScriptedClaude([
    { text: 'I order it.', calls: [{ name: 'order' }] },
    { text: answer },
  ]);
  const folder = await mkdtemp(join(tmpdir(), 'longwire-chat-'));
  const config = join(folder, 'longwire.json');
  await writeFile(config, JSON.stringify({ servers: { shop: { url: server.url } } }));
  {
    await using terminal = await openChat([columns, rows], claude, ['shop', '--config', config]);
    terminal.type('\u001b[200~Order three\nof the green tea\u001b[201~\r');
    await terminal.shows(/\(N\)o/);
    terminal.type('y\r');
    await terminal.shows(/│ How many\?[^]*\(A\)nswer/);
    terminal.type('\r');
    await terminal.shows(/1\/1 "count"/);
    terminal.type('3\r');
    await terminal.shows(/\(S\)end/);
    terminal.type('\r');
    const shown = await terminal.shows(/Anything else\?[^]*^> *$/m);
    const page = fileURLToPath(new URL(`../../docs/chat-${columns}x${rows}.txt`, import.meta.url));
    const lines = shown.split('\n').map((line) => line.trimEnd());
    await expect(`${lines.join('\n').trimEnd()}\n`).toMatchFileSnapshot(page);
    terminal.type('/quit\r');
  }
  await claude.close();
  await removeFolder(folder);
});

/** A chat on a screen of this size, with the server of this test or with others. */
async function openChat(
  [columns, rows]: readonly [number, number],
  { url }: { url: string },
  targets: readonly string[] = [server.url],
): Promise<TerminalScreen> {
  const env = { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'key-of-the-terminal-test' };
  const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
  const terminal = await openTerminal(columns, rows, env);
  terminal.type(`clear; ${process.execPath} ${bin} chat ${targets.join(' ')}\r`);
  await terminal.shows(/^> *$/m);
  return terminal;
}

test.runIf(hasTerminal)('a question that comes while a line is typed leaves the line', async () => {
  asked.length = 0;
  const claude = await startScriptedClaude([{ text: 'You typed it.' }]);
  {
    await using terminal = await openChat([80, 24], claude);
    terminal.type('/call later\r');
    terminal.type('half a que');
    await terminal.shows(/│ Still there\?[^]*\(C\)ancel/);
    terminal.type('y\r');
    await terminal.shows(/^> half a que$/m);
    terminal.type('stion\r');
    await terminal.shows(/You typed it\.[^]*^> *$/m);
    terminal.type('/quit\r');
  }
  const [body] = claude.bodies();
  await claude.close();
  expect(asked).toEqual([{ action: 'accept', content: {} }]);
  expect(JSON.stringify(body?.messages)).toContain('half a question');
});

test.runIf(hasTerminal).each([
  ['the question about a tool', /ne\(v\)er, \(N\)o/, ''],
  ['the question of a server', /\(A\)nswer/, 'y\r'],
])('Ctrl-C at %s goes back to the prompt', async (_name, question, before) => {
  asked.length = 0;
  const claude = await startScriptedClaude([
    { calls: [{ name: 'order' }] },
    { text: 'It was cancelled.' },
    { text: 'Still here.' },
  ]);
  {
    await using terminal = await openChat([40, 20], claude);
    terminal.type('Order\r');
    await terminal.shows(/ne\(v\)er, \(N\)o/);
    terminal.type(before);
    await terminal.shows(question);
    terminal.type('\u0003');
    await terminal.shows(/(?:Stopped|was cancelled)\.[^]*^> *$/m);
    terminal.type('And now?\r');
    await terminal.shows(/And now\?[^]*(?:Still here|was cancelled)\.[^]*^> *$/m);
    terminal.type('/quit\r');
  }
  await claude.close();
});

test.runIf(hasTerminal)(
  'a server that dies is said above the line, and the rest goes on',
  async () => {
    const other = await serve({ create: () => new McpServer({ name: 'other', version: '1' }) });
    const claude = await startScriptedClaude([{ text: 'The other one is away.' }]);
    {
      await using terminal = await openChat([80, 24], claude, [server.url, other.url]);
      terminal.type('half a line');
      await terminal.shows(/^> half a line$/m);
      await other.close();
      const host = new URL(other.url).host;
      await terminal.shows(new RegExp(`^${host}: [^]*^> half a line$`, 'm'));
      terminal.type('\r');
      await terminal.shows(/away\.[^]*^> *$/m);
      terminal.type('/quit\r');
    }
    await claude.close();
  },
);

test.runIf(hasTerminal)('Tab completes prompts, their arguments, and resources', async () => {
  const claude = await startScriptedClaude([{ text: 'Hello.' }]);
  {
    const path = createRequire(import.meta.url).resolve(
      '@modelcontextprotocol/server-everything/dist/index.js',
    );
    const targets = ['--', process.execPath, path, 'stdio'];
    await using terminal = await openChat([80, 24], claude, targets);
    terminal.type('/pro\t');
    await terminal.shows(/^> \/prompt ?$/m);
    terminal.type('compl\t');
    await terminal.shows(/^> \/prompt completable-prompt ?$/m);
    terminal.type('dep\tMark\t');
    await terminal.shows(/^> \/prompt completable-prompt department=Marketing ?$/m);
    terminal.type('\u0015/read demo://resource/static/document/feat\t');
    await terminal.shows(/features\.md ?$/m);
    terminal.type('\r');
    await terminal.shows(/features\.md is attached/);
    terminal.type('What is it?\r');
    await terminal.shows(/Hello\.[^]*^> *$/m);
    terminal.type('/quit\r');
  }
  const [body] = claude.bodies();
  await claude.close();
  expect(JSON.stringify(body?.messages)).toMatch(/features\.md.*What is it\?/);
});
