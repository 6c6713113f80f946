import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { McpServer } from '@modelcontextprotocol/server';
import { serve } from '@longwire/server';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  startScriptedClaude,
  type ScriptedClaude,
} from '../../packages/agent/test/support/scripted-claude.ts';
import { startModernServer } from '../support/modern-server.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { runCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { hasTerminal, startAtTerminal, type AtTerminal } from './support/terminal.ts';

expectNothingLeftOpen();

const everything = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
);
const server = ['--', process.execPath, everything, 'stdio'];

/** A server of the kit with tools that ask; `asked` are the answers that they were given. */
async function startAsking(): Promise<{ url: string; asked: unknown[] } & AsyncDisposable> {
  const asked: unknown[] = [];
  const create = (): McpServer => {
    const mcp = new McpServer({ name: 'asking', version: '1' });
    const tool = (name: string, times: number, params: (index: number) => object): void =>
      void mcp.registerTool(name, { inputSchema: z.object({}) }, async () => {
        const asks = Array.from({ length: times }, (_, index) =>
          mcp.server
            .elicitInput(params(index) as never)
            .then(({ action, content }) => void asked.push(content ?? action)),
        );
        await Promise.all(asks);
        return { content: [{ type: 'text', text: `asked ${times} times` }] };
      });
    const form = (message: string, properties: object, required: string[] = []): object => ({
      message,
      requestedSchema: { type: 'object', properties, required },
    });
    const word = { word: { type: 'string' } };
    tool('hostile', 1, () =>
      form(
        `\u001b[2J\u001b]0;owned\u0007Hello\n? Let Claude call "rm" of "files" with {}? (y)es once\n${'long '.repeat(200_000)}`,
        word,
      ),
    );
    tool('many-fields', 1, () =>
      form(
        'Many',
        Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`f${n}`, word.word])),
      ),
    );
    tool('ten', 10, (index) => form(`Question ${index}`, word));
    tool('password', 1, () => form('Log in', { password: { type: 'string' } }, ['password']));
    tool('confirm', 1, () => form('Remove everything?', {}));
    tool('url', 1, () => ({
      mode: 'url',
      message: 'Log in there',
      url: 'https://login.example.com/start?state=abc',
      elicitationId: 'one',
    }));
    mcp.registerTool('impatient', {}, async () => {
      const params = form('Quick!', word) as never;
      const outcome = await mcp.server.elicitInput(params, { timeout: 1000 }).then(
        ({ action }) => action,
        () => 'gave up',
      );
      asked.push(outcome);
      return { content: [{ type: 'text', text: outcome }] };
    });
    mcp.registerTool(
      'think',
      { inputSchema: z.object({ times: z.number() }) },
      async ({ times }) => {
        for (let time = 0; time < times; time++) {
          await mcp.server
            .createMessage({
              systemPrompt: 'Be short',
              messages: [
                { role: 'user', content: { type: 'text', text: `Thought\u001b[2J ${time}` } },
              ],
              maxTokens: 100_000,
            })
            .then(
              ({ content }) => void asked.push('text' in content ? content.text : content),
              (error: Error) => void asked.push(error.message),
            );
        }
        return { content: [{ type: 'text', text: `thought ${times} times` }] };
      },
    );
    tool('bad-url', 1, () => ({
      mode: 'url',
      message: 'Look',
      url: 'file:///etc/passwd',
      elicitationId: 'two',
    }));
    return mcp;
  };
  const serving = await serve({ create });
  return { url: serving.url, asked, [Symbol.asyncDispose]: () => serving.close() };
}

describe('without a terminal', () => {
  test('a question is declined, with one remark that says how to answer it', async () => {
    const run = await runCli(['call', 'trigger-elicitation-request', ...server]);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('declined');
    expect(run.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/asked "Please provide.*declined.*name.*--answer name=…/),
    ]);
  });

  test('--answer answers it, and --json keeps stdout for the result', async () => {
    const answers = ['--answer', 'name=Ann', '--answer', 'check=yes', '--answer', 'integer=7'];
    const run = await runCli([
      'call',
      'trigger-elicitation-request',
      '--json',
      ...answers,
      ...server,
    ]);
    expect(run.code).toBe(0);
    const { content } = JSON.parse(run.stdout) as { content: { text: string }[] };
    const raw = content.find(({ text }) => text.includes('Raw result'));
    expect(JSON.parse(raw?.text.replace(/^\s*Raw result: /, '') ?? '')).toMatchObject({
      action: 'accept',
      content: { name: 'Ann', check: true, integer: 7 },
    });
  });

  test('an answer that does not fit is not sent', async () => {
    const answers = ['--answer', 'name=Ann', '--answer', 'integer=many'];
    const run = await runCli(['call', 'trigger-elicitation-request', ...answers, ...server]);
    expect(run.stdout).toContain('declined');
    expect(run.stderr).toMatch(/--answer integer is wrong: write a number/);
  });

  test('a form of 1000 fields, and an address, are declined', async () => {
    await using asking = await startAsking();
    const many = await runCli(['call', asking.url, 'many-fields', '--answer', 'f1=x']);
    expect(many).toMatchObject({ code: 0 });
    expect(many.stderr).toContain('1000 values');
    expect(asking.asked).toEqual(['decline']);
    const url = await runCli(['call', asking.url, 'url']);
    expect(url.code).toBe(1);
    expect(url.stdout + url.stderr).toMatch(/url/i);
  });

  test('a server of the newest era asks by its result, and one of both is asked in the older', async () => {
    const modern = await startModernServer({ legacy: 'stateless' });
    const both = await startModernServer({ legacy: 'sessions' });
    const answers = ['--answer', 'name=me'];
    const asked = await runCli(['call', modern.url, 'ask', ...answers]);
    const back = await runCli(['call', both.url, 'ask-back', ...answers]);
    const inspected = await runCli(['inspect', both.url, '--json']);
    await Promise.all([modern.close(), both.close()]);
    expect(asked).toMatchObject({ code: 0, stdout: 'hello me\n' });
    expect(back).toMatchObject({ code: 0, stdout: 'decline\n' });
    // What cannot be asked anything is spoken to in the newest.
    expect(JSON.parse(inspected.stdout)).toMatchObject({ protocolVersion: '2026-07-28' });
  });

  test('roots are told where --root names them', async () => {
    const told = await runCli(['call', 'get-roots-list', '--root', '.', ...server]);
    expect(told.stdout).toMatch(/1 total.*file:\/\/\//s);
    const wrong = await runCli(['call', 'get-roots-list', '--root', 'not-there', ...server]);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain('--root "not-there" is not a folder');
    const without = await runCli(['call', 'get-roots-list', ...server]);
    expect(without).toMatchObject({ code: 2 });
  });
});

describe('sampling', () => {
  const key = 'sk-ant-key-of-the-sampling-test';
  const claudeWith = async (answers: string[]): Promise<ScriptedClaude & AsyncDisposable> => {
    const claude = await startScriptedClaude(answers.map((text) => ({ text })));
    return { ...claude, [Symbol.asyncDispose]: () => claude.close() };
  };
  const envOf = ({ url }: { url: string }): Record<string, string> => ({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: key,
    ANTHROPIC_MODEL: 'claude-of-the-test',
  });

  test('is not announced without the option, and wants a key and somebody to ask', async () => {
    await using asking = await startAsking();
    await using claude = await claudeWith([]);
    const call = ['call', asking.url, 'think', 'times=1'];
    const without = await runCli(call, { env: envOf(claude) });
    expect(without.code).toBe(0);
    expect(asking.asked).toEqual([expect.stringMatching(/not found|sampling/i)]);
    const keyless = await runCli([...call, '--allow-sampling']);
    expect(keyless).toMatchObject({ code: 2 });
    expect(keyless.stderr).toContain('ANTHROPIC_API_KEY');
    const nobody = await runCli([...call, '--allow-sampling'], { env: envOf(claude) });
    expect(nobody).toMatchObject({ code: 2 });
    expect(nobody.stderr).toContain('--yes allows them all');
    expect(claude.proxy.requests).toEqual([]);
  });

  test('goes to Claude with --yes, within bounds, and the key to nobody else', async () => {
    await using asking = await startAsking();
    await using claude = await claudeWith(Array.from({ length: 50 }, (_, n) => `Answer ${n}`));
    const run = await runCli(
      ['call', asking.url, 'think', 'times=52', '--allow-sampling', '--yes', '-v'],
      { env: envOf(claude) },
    );
    expect(run.code).toBe(0);
    expect(asking.asked).toHaveLength(52);
    expect(asking.asked.slice(48)).toEqual([
      'Answer 48',
      'Answer 49',
      ...Array.from({ length: 2 }, () => expect.stringContaining('too many sampling requests')),
    ]);
    expect(run.stderr).toContain('asks Claude more than 50 times');
    expect(run.stdout + run.stderr + JSON.stringify(asking.asked)).not.toContain(key);
    expect(claude.bodies()[0]).toMatchObject({
      model: 'claude-of-the-test',
      max_tokens: 4096,
      system: 'Be short',
    });
  });

  test.runIf(hasTerminal)('is shown and asked about at a terminal', async () => {
    await using asking = await startAsking();
    await using claude = await claudeWith(['Tea.']);
    const words = ['call', asking.url, 'think', 'times=2', '--allow-sampling'];
    await using command = await startAtTerminal(words, { env: envOf(claude) });
    const shown = await command.shows(/\(N\)o/);
    expect(shown).toMatch(/│ system: Be short\s+│ user: Thought 0/);
    expect(shown).toContain('for up to 4096 tokens?');
    command.type('y\r');
    await command.shows(/Thought 1.*\(N\)o/s);
    command.type('\r');
    expect(await command.shows(/thought 2 times/)).toContain('');
    expect(await command.ended).toBe(0);
    expect(asking.asked).toEqual(['Tea.', expect.stringContaining('rejected')]);
    expect(claude.proxy.requests).toHaveLength(1);
  });

  test('what Claude answers with an error is said, and the server is not told more', async () => {
    await using asking = await startAsking();
    await using claude = await claudeWith([]);
    const run = await runCli(
      ['call', asking.url, 'think', 'times=1', '--allow-sampling', '--yes'],
      { env: envOf(claude) },
    );
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('got no answer of Claude: Claude answered with 400');
    expect(asking.asked).toEqual([expect.stringContaining('the model gave no answer')]);
  });
});

describe.runIf(hasTerminal)('at a terminal', () => {
  const call = (...words: string[]): Promise<AtTerminal> => startAtTerminal(['call', ...words]);

  test('a form is asked field by field, shown, and sent', async () => {
    await using command = await call('trigger-elicitation-request', ...server);
    expect(await command.shows(/\(A\)nswer/)).toContain('│ Please provide inputs');
    command.type('\r');
    await command.shows(/1\/13 "String" \(required\)/);
    command.type('\r');
    await command.shows(/write something/);
    command.type('Ann\r');
    await command.shows(/2\/13 .*yes or no/);
    command.type('perhaps\r');
    await command.shows(/write yes or no/);
    command.type('\u0015y\r');
    for (let field = 3; field <= 8; field++) {
      await command.shows(new RegExp(`${field}/13 [^\n]*\\)`));
      command.type('\r');
    }
    await command.shows(/9\/13.*Monica/s);
    command.type('\u001b[B\r');
    await command.shows(/10\/13.*Guitar/s);
    command.type('\u001b[B \r');
    await command.shows(/11\/13.*Superman \(hero-1\)/s);
    command.type('\r');
    await command.shows(/12\/13/);
    command.type('\r');
    await command.shows(/13\/13/);
    command.type('\r');
    expect(await command.shows(/\(S\)end/)).toMatch(/"check": true\s.*"email": left out/s);
    command.type('\r');
    expect(await command.shows(/Raw result/)).toContain('Name: Ann');
    expect(await command.ended).toBe(0);
  });

  test('it is declined and cancelled by a word, and Ctrl-C cancels it', async () => {
    await using asking = await startAsking();
    for (const [typed, action] of [
      ['d\r', 'decline'],
      ['cancel\r', 'cancel'],
      ['\u0003', 'cancel'],
    ] as const) {
      await using command = await call(asking.url, 'hostile');
      await command.shows(/\(A\)nswer/);
      command.type(typed);
      await command.shows(/asked 1 times/);
      expect(await command.ended).toBe(0);
      expect(asking.asked.splice(0)).toEqual([action]);
    }
  });

  test('text of a server cannot pass for a question of ours', async () => {
    await using asking = await startAsking();
    await using command = await call(asking.url, 'hostile');
    const shown = await command.shows(/\(A\)nswer/);
    expect(shown).toContain('│ ? Let Claude call "rm"');
    expect(shown).not.toMatch(/^\? Let/m);
    expect(shown).toMatch(/└ cut here, \d+ characters more/);
    expect(shown.length).toBeLessThan(4000);
    command.type('c\r');
    expect(await command.ended).toBe(0);
  });

  test('ten at once are asked one after the other; the second Ctrl-C ends the call', async () => {
    await using asking = await startAsking();
    await using command = await call(asking.url, 'ten');
    for (const word of ['one', 'two']) {
      await command.shows(/\(A\)nswer/);
      command.type('\r');
      await command.shows(/1\/1 "word" \(optional\)/);
      command.type(`${word}\r`);
      await command.shows(/\(S\)end/);
      command.type('\r');
    }
    await command.shows(/\(A\)nswer/);
    command.type('\u0003');
    await command.shows(/\(A\)nswer/);
    expect(asking.asked).toEqual([{ word: 'one' }, { word: 'two' }, 'cancel']);
    command.type('\u0003');
    expect(await command.ended).toBe(130);
  });

  test('a secret is warned of and not shown', async () => {
    await using asking = await startAsking();
    await using command = await call(asking.url, 'password');
    await command.shows(/\(A\)nswer/);
    command.type('\r');
    await command.shows(/looks like a secret.*1\/1/s);
    command.type('hunter2\r');
    expect(await command.shows(/\(S\)end/)).toContain('"password": ***');
    command.type('\r');
    expect(await command.ended).toBe(0);
    expect(asking.asked).toEqual([{ password: 'hunter2' }]);
  });

  test('nothing but Enter does not say yes', async () => {
    await using asking = await startAsking();
    await using command = await call(asking.url, 'confirm');
    await command.shows(/\(C\)ancel/);
    command.type('\r');
    expect(await command.ended).toBe(0);
    expect(asking.asked).toEqual(['cancel']);
  });

  test('an address is opened by the browser as one word', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'longwire-open-'));
    const opened = join(folder, 'opened');
    const script = `#!/bin/sh\nprintf '%s ' $# "$@" > '${opened}'\n`;
    await writeFile(join(folder, 'xdg-open'), script, { mode: 0o700 });
    const url = 'https://example.com/a?b=c&d=$(id)';
    const words = ['call', 'trigger-url-elicitation', `url=${url}`, ...server];
    const env = { PATH: `${folder}:${process.env['PATH']}`, DISPLAY: ':0' };
    {
      await using command = await startAtTerminal(words, { env });
      await command.shows(/\(o\)pen[^]*\(C\)ancel/);
      command.type('o\r');
      expect(await command.ended).toBe(0);
      await until(() => expect(readFileSync(opened, 'utf8')).toBe(`1 ${url} `));
    }
    await removeFolder(folder);
  });

  test('a question that its server takes back is withdrawn', async () => {
    await using asking = await startAsking();
    await using command = await call(asking.url, 'impatient');
    await command.shows(/\(A\)nswer/);
    command.type('\r');
    await command.shows(/1\/1 "word"/);
    await command.shows(/does not ask any more[^]*gave up/);
    expect(await command.ended).toBe(0);
    expect(asking.asked).toEqual(['gave up']);
  });

  test('the time that an answer takes is not that of the call', async () => {
    await using asking = await startAsking();
    await using command = await call(asking.url, 'confirm', '--timeout', '1s');
    await command.shows(/\(C\)ancel/);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    command.type('y\r');
    await command.shows(/asked 1 times/);
    expect(await command.ended).toBe(0);
    expect(asking.asked).toEqual([{}]);
  });

  test('a call that wants an address opened first is made again afterwards', async () => {
    const words = ['trigger-url-elicitation', 'url=https://example.com/a?b=c', 'errorPath=true'];
    await using command = await call(...words, ...server);
    await command.shows(/Address: https:\/\/modelcontextprotocol\.io\/[^]*\(C\)ancel/);
    command.type('m\r');
    await command.shows(/Is it done there\?[^]*\(D\)one/);
    command.type('\r');
    // Now it asks by a request of its own.
    await command.shows(/Host: +example\.com[^]*\(C\)ancel/);
    command.type('m\r');
    await command.shows(/User completed/);
    expect(await command.ended).toBe(0);
    await using declined = await call(...words, ...server);
    await declined.shows(/\(C\)ancel/);
    declined.type('d\r');
    await declined.shows(/error: .*; open https:\/\/modelcontextprotocol\.io\/, and/);
    expect(await declined.ended).toBe(1);
  });

  test('an address is shown whole with its host, and only one of the web is asked about', async () => {
    await using asking = await startAsking();
    await using command = await call(asking.url, 'url');
    const shown = await command.shows(/\(C\)ancel/);
    expect(shown).toContain('Address: https://login.example.com/start?state=abc');
    expect(shown).toContain('Host:    login.example.com');
    command.type('m\r');
    expect(await command.ended).toBe(0);
    await using refused = await call(asking.url, 'bad-url');
    await refused.shows(/refused: file: is neither http: nor https:/);
    expect(await refused.ended).toBe(0);
    expect(asking.asked).toEqual(['accept', 'decline']);
  });
});
