import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { McpServer } from '@modelcontextprotocol/server';
import { serve, type Serving } from '@longwire/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { run, type Run } from '../run.ts';

/** The tools that the server has now. */
let tools: Record<string, z.ZodRawShape>;
let output: z.ZodRawShape;
let serving: Serving;
let folder: string;
beforeEach(async () => {
  tools = { forecast: { city: z.string(), days: z.number().int().optional() }, list: {} };
  output = { degrees: z.number() };
  serving = await serve({ create });
  folder = mkdtempSync(join(tmpdir(), 'longwire-'));
  const named = { url: serving.url };
  writeFileSync(
    join(folder, 'longwire.json'),
    JSON.stringify({ servers: { 'my-weather': named, my_weather: named } }),
  );
});
afterEach(async () => {
  await serving.close();
  rmSync(folder, { recursive: true });
});

function create(): McpServer {
  const server = new McpServer({ name: 'weather', version: '1' });
  for (const [name, shape] of Object.entries(tools)) {
    const outputSchema = name === 'forecast' ? { outputSchema: z.object(output) } : {};
    server.registerTool(name, { inputSchema: z.object(shape), ...outputSchema }, () => ({
      content: [],
    }));
  }
  return server;
}

const types = (...words: string[]): Promise<Run> =>
  run(['types', ...words.map((word) => word.replace('URL', serving.url))], {
    cwd: folder,
    env: { HOME: folder, LONGWIRE_KEYCHAIN: 'off' },
  });
const file = (name = 'tools.d.ts'): string => readFileSync(join(folder, name), 'utf8');

describe('longwire types', () => {
  it('prints types where no file is named', async () => {
    const { code, stdout, stderr } = await types('URL');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('export interface Weather {\n  forecast: {\n    arguments: {\n');
    expect(stdout).toContain('export interface Tools extends Weather {}');
  });

  it('writes a file, and then leaves it as long as it is right', async () => {
    const first = await types('URL', '-o', 'tools.d.ts');
    expect([first.code, first.stdout, first.stderr]).toEqual([
      0,
      '',
      '2 tools written to tools.d.ts.\n',
    ]);
    const { ino } = statSync(join(folder, 'tools.d.ts'));
    const again = await types('URL', '-o', 'tools.d.ts');
    expect(again.stderr).toBe('tools.d.ts is up to date (2 tools).\n');
    expect(statSync(join(folder, 'tools.d.ts')).ino).toBe(ino);
    const checked = await types('URL', '-o', 'tools.d.ts', '--check');
    expect([checked.code, checked.stdout]).toEqual([0, '']);
  });

  it('says of each tool what drifted, and writes it anew only without --check', async () => {
    await types('URL', '-o', 'tools.ts');
    const before = file('tools.ts');
    tools = { forecast: { city: z.number(), place: z.string() }, look: {} };
    output = { degrees: z.number(), unit: z.enum(['C', 'F']) };
    const { code, stdout, stderr } = await types('URL', '-o', 'tools.ts', '--check');
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      'Weather "forecast": argument "city" was string, is number',
      'Weather "forecast": argument "days" is gone',
      'Weather "forecast": argument "place" is new, string',
      'Weather "forecast": member of the result "unit" is new, "C" | "F"',
      'Weather "list": the tool is gone',
      'Weather "look": a new tool',
      '',
    ]);
    expect(stderr).toContain('tools.ts is not up to date');
    expect(file('tools.ts')).toBe(before);
    expect(JSON.parse((await types('URL', '-o', 'tools.ts', '--check', '--json')).stdout)).toEqual({
      file: join(folder, 'tools.ts'),
      upToDate: false,
      servers: [
        { name: 'weather', interface: 'Weather', tools: 2, digest: expect.any(String) as string },
      ],
      drift: expect.arrayContaining([
        { interface: 'Weather', tool: 'look', change: 'tool-added' },
        {
          interface: 'Weather',
          tool: 'forecast',
          change: 'argument-changed',
          member: 'city',
          was: 'string',
          is: 'number',
        },
      ]) as unknown,
    });
    expect((await types('URL', '-o', 'tools.ts')).code).toBe(0);
    expect((await types('URL', '-o', 'tools.ts', '--check')).code).toBe(0);
  });

  it('names the tools of several servers as a group does', async () => {
    const config = join(folder, 'longwire.json');
    const { code, stderr } = await types('@all', '--config', config, '-o', 'tools.d.ts');
    expect(code, stderr).toBe(0);
    const [one, other] = [...file().matchAll(/^export interface (MyWeather_\w{8}) \{$/gm)].map(
      ([, name]) => name,
    );
    expect(file()).toContain(`"my-weather__forecast": ${one}["forecast"];`);
    expect(file()).toContain(`my_weather__forecast: ${other}["forecast"];`);
    const text = file();
    // The order in which they are named says nothing.
    rmSync(join(folder, 'tools.d.ts'));
    await types('my_weather', 'my-weather', '--config', config, '-o', 'tools.d.ts');
    expect(file()).toBe(text);
  });

  it('is drift where there is no file yet', async () => {
    const { code, stderr } = await types('URL', '-o', 'tools.d.ts', '--check');
    expect([code, stderr]).toEqual([
      1,
      'tools.d.ts is not there: longwire types without --check writes it.\n',
    ]);
  });

  it('leaves the file as it was when one of the servers is down', async () => {
    await types('URL', '-o', 'tools.d.ts');
    const before = file();
    for (const more of [[], ['--check']]) {
      const { code, stderr } = await types(
        'URL',
        'http://127.0.0.1:1',
        '-o',
        'tools.d.ts',
        ...more,
      );
      expect(code, stderr).toBe(3);
      expect(file()).toBe(before);
    }
  });

  it.each([
    [['-o', 'there.ts'], 'there.ts: that file is there, and longwire types did not make it'],
    [['-o', 'there.ts', '--check'], 'that file is there'],
    [['-o', 'tools.json'], 'name the file .d.ts or .ts'],
    [['-o', '.ts'], 'name the file .d.ts or .ts'],
    [['-o', 'none/tools.ts'], 'its folder is not there'],
    [['-o', 'folder.ts'], 'folder.ts: it cannot be read'],
    [['--check'], '--check compares with a file: name it with -o FILE'],
  ])('refuses %j before it asks a server', async (words, message) => {
    writeFileSync(join(folder, 'there.ts'), 'const mine = 1;\n');
    mkdirSync(join(folder, 'folder.ts'));
    const { code, stderr } = await types('http://127.0.0.1:1', ...words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(file('there.ts')).toBe('const mine = 1;\n');
  });

  it('replaces what it did not make only if told to', async () => {
    writeFileSync(join(folder, 'there.ts'), 'const mine = 1;\n');
    expect((await types('URL', '-o', 'there.ts', '--force')).code).toBe(0);
    expect(file('there.ts')).toContain('export interface Weather');
  });

  it('writes no secret that a server tells', async () => {
    tools = { secret: { key: z.string().describe('such as s3cret-of-the-user') } };
    const { stdout } = await types('URL', '--header', 'authorization: Bearer s3cret-of-the-user');
    expect(stdout).toContain('such as ');
    expect(stdout).not.toContain('s3cret-of-the-user');
  });
});
