import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@longwire/client';
import { parseConfig } from '@longwire/client/config';
import { parseChecks } from '@longwire/recording';
import { createWorkflow, loadWorkflow, parseWorkflow } from '@longwire/workflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { commandsIn, isInExample, readBlocks, repository, type Block } from './blocks.ts';
import { startEnvironment, type DocsEnvironment } from './environment.ts';

const run = promisify(execFile);
const blocks = readBlocks();
const inLanguage = (...languages: string[]): Block[] =>
  blocks.filter(({ language }) => languages.includes(language));

/** How long a program or a command may take on a busy machine. */
const timeoutMs = 60_000;

let environment: DocsEnvironment;
beforeAll(async () => {
  environment = await startEnvironment();
});
afterAll(async () => {
  await environment[Symbol.asyncDispose]();
});

it('every block says what it is, and what it needs is given to what runs only', () => {
  const known = ['sh', 'console', 'ts', 'js', 'json', 'yaml', 'nginx', 'mermaid', 'text'];
  expect(blocks.length).toBeGreaterThan(0);
  for (const { name, language, given } of blocks) {
    // `text` is for what nothing can run: output, trees of files, wire formats.
    expect(known, `${name}: write what the block is; there are ${known.join(', ')}`).toContain(
      language,
    );
    if (given !== '') expect(['ts', 'js', 'console'], name).toContain(language);
  }
});

const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Which script of the repository a command runs, and with which arguments. */
function npmScript([program = '', ...words]: readonly string[]): {
  script: string;
  args: string[];
} {
  expect(program).toBe('npm');
  const [script = '', , ...args] = words[0] === 'run' ? words.slice(1) : words;
  return { script, args };
}

describe('programs', () => {
  // Those of an example are run with it.
  const programs = inLanguage('ts', 'js').filter((block) => !isInExample(block));

  it('of the guide to the server kit are parts of examples', () => {
    const guide = inLanguage('ts', 'js').filter(({ page }) => page === 'docs/server.md');
    expect(guide.length).toBeGreaterThan(5);
    expect(guide.filter((block) => !isInExample(block)).map(({ name }) => name)).toEqual([]);
  });

  const fileOf = ({ name, language }: Block): string =>
    `${name.replaceAll(/[^\w]+/g, '-')}.${language}`;

  beforeAll(async () => {
    const { directory, adapted } = environment;
    for (const block of programs) {
      // A program that comes to its last line has done all that it says.
      const text = `${block.given}\n${block.text}\nprocess.exit(0);\nexport {};\n`;
      const free = adapted(text).replace(/\bport: 3001\b/, 'port: 0');
      await writeFile(join(directory, fileOf(block)), free);
    }
    const config = {
      extends: join(repository, 'tsconfig.base.json'),
      compilerOptions: {
        outDir: 'compiled',
        rootDir: '.',
        typeRoots: [join(repository, 'node_modules/@types')],
        allowJs: true,
        checkJs: true,
        composite: false,
        declaration: false,
        emitDeclarationOnly: false,
        isolatedDeclarations: false,
        sourceMap: false,
        noUnusedLocals: false,
        noUnusedParameters: false,
      },
      include: ['*.ts', '*.js'],
      exclude: ['server.js'],
    };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
  });

  it('are right by their types', { timeout: timeoutMs }, async () => {
    const compiler = join(repository, 'node_modules/typescript/bin/tsc');
    const { directory: cwd } = environment;
    const told = await run(process.execPath, [compiler, '--project', cwd], { cwd }).then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    );
    expect(told).toBe('');
  });

  it.each(programs.map((block) => [block.name, block] as const))(
    '%s comes to its last line',
    { timeout: timeoutMs },
    async (_name, block) => {
      const { directory: cwd, env } = environment;
      const file = join(cwd, 'compiled', fileOf(block).replace(/\.ts$/, '.js'));
      await run(process.execPath, [file], { cwd, env, timeout: timeoutMs / 2 });
    },
  );
});

describe('commands', () => {
  const commands = inLanguage('sh').flatMap(({ name, text }) =>
    commandsIn(text).map((words) => ({ name, words })),
  );
  const [own, others] = [
    commands.filter(({ words }) => words[0] === 'longwire'),
    commands.filter(({ words }) => words[0] !== 'longwire'),
  ];

  it.each(own.map(({ name, words }) => [words.join(' '), name, words] as const))(
    '%s (%s)',
    { timeout: timeoutMs },
    async (_command, _name, [, ...words]) => {
      const { directory: cwd, env, adapted } = environment;
      const { code, stderr } = await runCli(words.map(adapted), {
        cwd,
        env,
        killAfterMs: timeoutMs / 2,
        // A command that runs until it is interrupted.
        interruptOn: /Ctrl-C ends it/,
      });
      const isEndless = /Ctrl-C ends it/.test(stderr);
      expect({ code: isEndless && code === 130 ? 0 : code, stderr }).toMatchObject({ code: 0 });
    },
  );

  it.each(others.map(({ name, words }) => [words.join(' '), name, words] as const))(
    '%s is a script of this repository (%s)',
    (_command, _name, words) => {
      // They build, test or measure for minutes, or are what runs this; that they can be started is
      // looked up.
      const { script } = npmScript(words);
      const line = scripts[script] ?? '';
      expect(line, `package.json has no script ${script}`).not.toBe('');
      for (const file of line.match(/[\w/.-]+\.(?:mjs|json)\b/g) ?? []) {
        expect([file, existsSync(join(repository, file))]).toEqual([file, true]);
      }
    },
  );

  it('the benchmarks know what the pages ask for', { timeout: timeoutMs }, async () => {
    const asked = others.map(({ words }) => npmScript(words));
    const args = asked.flatMap(({ script, args: given }) => (script === 'bench' ? given : []));
    const command = ['bench/run.mjs', ...args, '--help'];
    expect(args).not.toEqual([]);
    expect((await run(process.execPath, command, { cwd: repository })).stdout).toContain('Usage');
  });
});

describe('files', () => {
  it.each(inLanguage('json').map((block) => [block.name, block.text] as const))(
    '%s can be read',
    (name, text) => {
      const value = JSON.parse(text) as Record<string, unknown>;
      if ('checks' in value) expect(parseChecks(value)).not.toEqual([]);
      if (!('servers' in value || 'mcpServers' in value)) return;
      const env = { HOME: '/home/me', MARKET_TOKEN: 'token' };
      expect(Object.keys(parseConfig(text, { file: name, env }).servers)).not.toEqual([]);
    },
  );

  it.each(inLanguage('yaml').map((block) => [block.name, block.text] as const))(
    '%s is a workflow',
    (name, text) => {
      expect(parseWorkflow(text, { file: name }).triggers).not.toEqual([]);
    },
  );
});

it('the workflow of its README does what its comments say', { timeout: timeoutMs }, async () => {
  const { directory, calls, say } = environment;
  const workflow = await loadWorkflow(join(directory, 'alerts.yaml'));
  const url = workflow.servers['market'];
  if (typeof url !== 'string') throw new Error('the README names no URL');
  await using market = createClient(url, { name: 'market' });
  await using runner = createWorkflow(workflow, { servers: { market } });
  await runner.start();
  calls.splice(0);
  await say('info', { symbol: 'NVDA', drop: 9 });
  await say('warning', { symbol: 'AAPL', drop: 3 });
  await say('warning', { symbol: 'NVDA', drop: 7 });
  await say('warning', { symbol: 'NVDA', drop: 8 });
  await say('warning', { symbol: 'MSFT', drop: 6 });
  await until(() => runner.stats().events === 4);
  await runner.push({ name: 'order.filled', data: { order: 7 } });
  await runner.idle();
  expect([...calls].sort()).toEqual(['archive 7', 'buy MSFT', 'buy NVDA', 'receipt shelf 7']);
  expect(runner.stats()).toMatchObject({ duplicates: 1, runs: { done: 3, dead: 0, caught: 0 } });
});
