import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tool } from '@longwire/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directoryOf, tellWhatIsMissing } from '../interop/support/missing.ts';
import { commandOf, preparePlace, type ServerPlace } from '../interop/support/popular.ts';
import { npmServers, prepareNpmServers } from '../interop/support/popular-npm.ts';
import { preparePythonServers, pythonServers } from '../interop/support/popular-python.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { runCli, type CliRun } from '../support/run-cli.ts';
import { compile, compiler5, compiler7, prepareTypescript5 } from './compile.ts';

const prepared = {
  npm: await prepareNpmServers(),
  python: await preparePythonServers(),
  typescript5: await prepareTypescript5(),
};
const isHere = Object.values(prepared).every((each) => 'directory' in each);
for (const each of Object.values(prepared)) tellWhatIsMissing(each);

const servers = [
  ...npmServers.map((server) => ({ server, from: prepared.npm })),
  ...pythonServers.map((server) => ({ server, from: prepared.python })),
];

describe.runIf(isHere)('the types of servers that people use', () => {
  expectNothingLeftOpen();
  let place: Awaited<ReturnType<typeof preparePlace>>;
  let config: string;
  const file = (name: string): string => join(place.around.scratch, name);
  const run = (...args: string[]): Promise<CliRun> =>
    runCli([...args, '--config', config, '--timeout', '100s'], { killAfterMs: 110_000 });
  const around = (from: (typeof servers)[number]['from']): ServerPlace => ({
    ...place.around,
    directory: directoryOf(from),
  });

  let tools: string;
  /** What each server lists. */
  let listed: Map<string, Tool[]>;
  beforeAll(async () => {
    place = await preparePlace();
    config = file('servers.json');
    const entries = servers.map(
      ({ server, from }) => [server.name, commandOf(server, around(from))] as const,
    );
    await writeFile(config, JSON.stringify({ mcpServers: Object.fromEntries(entries) }));
    const { code, stderr } = await run('types', '@all', '-o', file('tools.d.ts'));
    expect(code, stderr).toBe(0);
    tools = await readFile(file('tools.d.ts'), 'utf8');
    const { stdout } = await run('tools', '@all', '--json');
    const all = JSON.parse(stdout) as { server: string; result: Tool[] }[];
    listed = new Map(all.map(({ server, result }) => [server, result]));
  });
  afterAll(() => place.close());

  it('are those of more than ten, from npm and PyPI, with every tool that they list', () => {
    expect(listed.size).toBeGreaterThan(10);
    for (const [server, list] of listed) {
      expect(list.length).toBeGreaterThan(0);
      for (const { name } of list) expect(tools).toContain(`${server}__${name}`);
    }
  });

  describe.each([
    ['TypeScript 7', () => compiler7],
    ['TypeScript 5.9', () => compiler5({ directory: directoryOf(prepared.typescript5) })],
  ])('for %s', (_name, compiler) => {
    it.each([{}, { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }])(
      'compile as .d.ts, .ts and .mts: %j',
      async (options) => {
        const files = { 'types.d.ts': tools, 'tools.ts': tools, 'tools.mts': tools };
        const alone = { ...options, types: [] };
        expect(await compile(files, { compiler: compiler(), options: alone })).toBe('');
      },
    );

    it('take right calls and no wrong ones', async () => {
      const { text, wrong } = programOf(listed, around);
      expect(wrong).toBeGreaterThan(30);
      // Each call that is wrong is expected to be an error: one that is none is an error as well.
      const files = { 'tools.ts': tools, 'program.mts': text };
      const options = { skipLibCheck: true };
      expect(await compile(files, { compiler: compiler(), options })).toBe('');
    });
  });

  it('are up to date as long as the servers are the same', async () => {
    const { code, stdout } = await run('types', '@all', '-o', file('tools.d.ts'), '--check');
    expect([code, stdout]).toEqual([0, '']);
  });

  it('tell what drifted', async () => {
    const older = tools
      .replace('read_text_file: {', 'read_text: {')
      .replace('source_timezone: string;', 'source_timezone: number;')
      .replace(/^ *temperature: number;\n/m, '');
    await writeFile(file('older.d.ts'), older);
    const { code, stdout } = await run('types', '@all', '-o', file('older.d.ts'), '--check');
    expect(code).toBe(1);
    expect(stdout.split('\n').filter(Boolean).sort()).toEqual([
      'Everything "get-structured-content": member of the result "temperature" is new, number',
      'Filesystem "read_text": the tool is gone',
      'Filesystem "read_text_file": a new tool',
      'Time "convert_time": argument "source_timezone" was number, is string',
    ]);
  });
});

/** A program that calls a tool of each server rightly, and then in all ways that are wrong. */
function programOf(
  listed: ReadonlyMap<string, Tool[]>,
  around: (from: (typeof servers)[number]['from']) => ServerPlace,
): { text: string; wrong: number } {
  const lines = [
    `import { connect } from '@longwire/client';`,
    `import { createGroup } from '@longwire/client/group';`,
    `import type { Everything, Tools } from './tools.js';`,
    `const group = createGroup<Tools>({});`,
    `const everything = await connect<Everything>('http://127.0.0.1:1');`,
  ];
  let wrong = 0;
  const call = (name: string, args: unknown): string =>
    `await group.callTool(${JSON.stringify(name)}, ${JSON.stringify(args)});`;
  const addWrong = (line: string): void => {
    wrong += 1;
    lines.push('// @ts-expect-error', line);
  };
  for (const { server, from } of servers) {
    const args = server.call.args(around(from));
    const tool = listed.get(server.name)?.find(({ name }) => name === server.call.tool);
    const name = `${server.name}__${server.call.tool}`;
    lines.push(call(name, args));
    addWrong(call(`${name}s`, args));
    addWrong(call(server.call.tool, args));
    const { additionalProperties = false, required = [] }: Partial<Tool['inputSchema']> =
      tool?.inputSchema ?? {};
    // Where a schema says that it takes any name, no name is wrong.
    if (additionalProperties === false) addWrong(call(name, { ...args, noSuchArgument: 1 }));
    for (const needed of required) {
      const { [needed]: _, ...others } = args;
      addWrong(call(name, others));
    }
    for (const [argument, value] of Object.entries(args)) {
      addWrong(call(name, { ...args, [argument]: typeof value === 'number' ? 'text' : 5 }));
    }
  }
  lines.push(
    `const weather = await everything.callTool('get-structured-content', { location: 'Chicago' });`,
    `const degrees: number | undefined = weather.structuredContent?.temperature;`,
    `console.log(degrees);`,
    `await everything.tool('get-sum').call({ a: 1, b: 2 });`,
    `await everything.callTool('get-tiny-image');`,
    `await everything.callTool('get-tiny-image', {});`,
  );
  addWrong(`console.log(weather.structuredContent?.temperatur);`);
  addWrong(`const words: string | undefined = weather.structuredContent?.temperature;`);
  addWrong(`await everything.callTool('get-structured-content', { location: 'Paris' });`);
  addWrong(`everything.tool('get-some');`);
  addWrong(`await everything.tool('get-sum').call({ a: 1 });`);
  addWrong(`await everything.callTool('get-sum');`);
  addWrong(`await everything.callTool('get-tiny-image', { size: 1 });`);
  return { text: `${lines.join('\n')}\n`, wrong };
}
