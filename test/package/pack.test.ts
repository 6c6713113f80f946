import { serve } from '@longwire/server';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDemoServer } from '../../packages/cli/src/demo/server.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { removeFolder } from '../support/remove-folder.ts';

expectNothingLeftOpen();

const names = [
  '@longwire/client',
  '@longwire/testing',
  '@longwire/recording',
  '@longwire/agent',
  '@longwire/server',
  '@longwire/bridge',
  '@longwire/workflow',
  'longwire',
];
const repository = fileURLToPath(new URL('../..', import.meta.url));
/** Packing takes seconds, and installing what a registry has to be asked for. */
const installMs = 120_000;

/** A package as `npm pack --json` tells of it. */
interface Packed {
  name: string;
  version: string;
  filename: string;
  files: { path: string }[];
  /** In bytes. */
  unpackedSize: number;
}

interface Manifest {
  version: string;
  engines: unknown;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** A program as a user would write it: all that there is is imported, and the client is used. */
const program = `
import { createAgent } from '@longwire/agent';
import { passThrough } from '@longwire/bridge';
import { connect, LongwireError } from '@longwire/client';
import { oauth } from '@longwire/client/oauth';
import { createFaultyProxy, type FaultyProxy } from '@longwire/testing';
import { fromEnvironment } from '@longwire/client/config';
import { createGroup } from '@longwire/client/group';
import { cache } from '@longwire/client/middleware';
import { metrics } from '@longwire/client/middleware/metrics';
import { otelMetrics } from '@longwire/client/middleware/otel-metrics';
import { tracing } from '@longwire/client/middleware/tracing';
import { createPool } from '@longwire/client/pool';
import { createRecorder } from '@longwire/recording';
import { mcp, serve } from '@longwire/server';
import { DiskTaskStore } from '@longwire/server/disk-tasks';
import { createWorkflow } from '@longwire/workflow';
import { main } from 'longwire';
import { page } from 'longwire/page';

await using client = await connect(process.argv[2] ?? '', { timeouts: { connectMs: 60_000 } });
const names: string[] = (await client.listTools()).map(({ name }) => name);
const { content } = await client.callTool('echo', { message: 'hi' }, {
  onProgress: ({ progress }) => console.error(progress.toFixed()),
});
const [first] = content;
const said: string = first?.type === 'text' ? first.text : '';
const proxy: FaultyProxy = await createFaultyProxy({ target: process.argv[2] ?? '' });
const { origin } = proxy;
await proxy.close();
const all = [createAgent, mcp, oauth, serve, main, LongwireError, cache];
const ofSubpaths = [createGroup, createPool, createRecorder, metrics, otelMetrics, tracing];
const others = [fromEnvironment, createWorkflow, page, DiskTaskStore, passThrough];
const imported = [...all, ...ofSubpaths, ...others].map((it) => typeof it);
console.log(JSON.stringify({ names, said, origin, imported }));
`;

/** What a program installs that uses all of it. */
const ofPrograms = [
  '@opentelemetry/api@1',
  '@types/node@20',
  'classic-level@3',
  'fastify@5',
  'prom-client@15',
];

const workflow = `
name: echoes
triggers:
  - { on: log:info, call: echo, with: { message: hi } }
`;

/** Each of these lines is an error, if types are there at all. */
const wrongProgram = `
import { connect } from '@longwire/client';
// @ts-expect-error -- there is no such option
await connect('http://127.0.0.1', { timeout: 5 });
// @ts-expect-error -- names are strings
const names: number[] = (await (await connect('x')).listTools()).map(({ name }) => name);
export { names };
`;

const compilerOptions = {
  target: 'ES2023',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  strict: true,
  types: ['node'],
  skipLibCheck: false,
  rootDir: '.',
  outDir: 'out',
};

let root: string;
let project: string;
let packed: Packed[];

beforeAll(async () => {
  const built = existsSync(join(repository, 'packages/cli/dist/bin.js'));
  if (!built) throw new Error('nothing is built: run `npm run build` first');
  root = await mkdtemp(join(tmpdir(), 'longwire-pack-'));
  project = join(root, 'project');
  await mkdir(project);
  const { stdout } = await npm(
    repository,
    'pack',
    '--workspaces',
    '--json',
    '--pack-destination',
    root,
  );
  packed = JSON.parse(stdout) as Packed[];

  const manifest = { name: 'empty', version: '1.0.0', private: true, type: 'module' };
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest));
  await install(project, ...packed.map(tarballOf), ...ofPrograms);
}, installMs);
afterAll(() => removeFolder(root));

const run = promisify(execFile);

const tarballOf = ({ filename }: Packed): string => join(root, filename);

const inPage = (path: string): string => `dist/page/${path}`;

function packedAs(name: string): Packed {
  const found = packed.find((it) => it.name === name);
  if (found === undefined) throw new Error(`${name} was not packed`);
  return found;
}

async function install(cwd: string, ...packages: string[]): Promise<void> {
  await npm(cwd, 'install', '--prefer-offline', '--no-audit', '--no-fund', ...packages);
}

/** An empty project with one of the packages, and what is installed in it. */
async function projectWith(name: string): Promise<{ directory: string; installed: string[] }> {
  const directory = await mkdtemp(join(root, 'alone-'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module", "private": true }');
  await install(directory, tarballOf(packedAs(name)));
  const text = await readFile(join(directory, 'node_modules/.package-lock.json'), 'utf8');
  return { directory, installed: Object.keys((JSON.parse(text) as { packages: object }).packages) };
}

function npm(cwd: string, ...args: string[]): Promise<{ stdout: string }> {
  return runOfNpm('npm', cwd, args);
}

/** Runs npm or npx without what an npm around this test has set for itself. */
function runOfNpm(
  command: 'npm' | 'npx',
  cwd: string,
  args: string[],
): Promise<{ stdout: string }> {
  const kept =
    /^npm_config_(registry|cache|userconfig|cafile|ca|strict_ssl|proxy|https_proxy|noproxy)$/i;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name)),
  );
  return run(command, args, { cwd, env, maxBuffer: 32 * 1024 * 1024 });
}

async function manifestOf(directory: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest;
}

/** What the built files of a package import, other than its own files and Node's modules. */
/** Statements and `import()`; what a text or a comment says is neither. */
const IMPORTS =
  /^(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]|\bimport\(\s*['"`]([^'"`]+)['"`]\s*\)/gm;

async function importsOf(directory: string): Promise<Set<string>> {
  const found = new Set<string>();
  const files = await readdir(join(directory, 'dist'), { recursive: true });
  for (const file of files.filter((path) => /\.(js|d\.ts)$/.test(path))) {
    const text = await readFile(join(directory, 'dist', file), 'utf8');
    for (const [, ...groups] of text.matchAll(IMPORTS)) {
      const specifier = groups.find((group) => group !== undefined) ?? '';
      if (specifier.startsWith('.') || isBuiltin(specifier)) continue;
      found.add(
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    }
  }
  return found;
}

describe.for(names)('%s', (name) => {
  test('is packed with what it needs, and with nothing of how it was made', () => {
    const paths = packed.find((it) => it.name === name)?.files.map(({ path }) => path) ?? [];
    expect(paths).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'dist/index.js',
        'dist/index.d.ts',
      ]),
    );
    const unwanted = /(^|\/)(tests?|src)\/|\.test\.|tsbuildinfo|tsconfig|node_modules|\.env/;
    expect(paths.filter((path) => unwanted.test(path))).toEqual([]);
  });

  test('is installed once, and imports only what it declares', async () => {
    const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string }>;
    };
    const copies = Object.entries(lock.packages).filter(([path]) =>
      path.endsWith(`node_modules/${name}`),
    );
    expect(copies).toEqual([
      [
        `node_modules/${name}`,
        expect.objectContaining({ resolved: expect.stringMatching(/^file:/) }),
      ],
    ]);

    const directory = join(project, 'node_modules', name);
    const manifest = await manifestOf(directory);
    const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = manifest;
    const imports = await importsOf(directory);
    const declared = Object.keys({
      ...dependencies,
      ...peerDependencies,
      ...optionalDependencies,
    });
    expect(imports.size > 0).toBe(declared.length > 0);
    expect(declared).toEqual(expect.arrayContaining([...imports]));
  });
});

test('a program type-checks under nodenext, and runs to its end', async () => {
  await writeFile(join(project, 'program.ts'), program);
  await writeFile(join(project, 'wrong.ts'), wrongProgram);
  const config = { compilerOptions, files: ['program.ts', 'wrong.ts'] };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  const checked = await run(process.execPath, [tsc, '--project', project]).catch(
    ({ stdout }: { stdout: string }) => ({ stdout }),
  );
  expect(checked.stdout).toBe('');

  // `await using` is newer than the oldest Node that is supported: what runs was compiled.
  await using serving = await serve({ create: () => createDemoServer() });
  const args = [join(project, 'out/program.js'), serving.sseUrl];
  const { stdout } = await run(process.execPath, args, { cwd: project, timeout: 60_000 });
  expect(JSON.parse(stdout)).toEqual({
    names: expect.arrayContaining(['echo', 'add', 'chart']) as unknown,
    said: 'hi',
    origin: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as unknown,
    imported: Array.from({ length: 18 }, () => 'function'),
  });
});

test('the client is installed without what not every program needs, and type-checks by itself', async () => {
  const { directory, installed } = await projectWith('@longwire/client');
  expect(installed.length).toBeLessThanOrEqual(30);
  expect(
    installed.filter((path) => /prom-client|opentelemetry|@types|anthropic/.test(path)),
  ).toEqual([]);
  expect(packedAs('@longwire/client').unpackedSize).toBeLessThan(4e6);
  const bare = `import { connect } from '@longwire/client';
const client = await connect('http://127.0.0.1:1');
export const names: string[] = (await client.listTools()).map(({ name }) => name);
`;
  await writeFile(join(directory, 'bare.ts'), bare);
  const options = {
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    noEmit: true,
    // The types of the official client need those of Node.
    skipLibCheck: true,
  };
  const config = { compilerOptions: options, files: ['bare.ts'] };
  await writeFile(join(directory, 'tsconfig.bare.json'), JSON.stringify(config));
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  const checked = await run(process.execPath, [
    tsc,
    '--project',
    join(directory, 'tsconfig.bare.json'),
  ]).catch(({ stdout }: { stdout: string }) => ({ stdout }));
  expect(checked.stdout).toBe('');
});

test('the command is one small package, which says whose code is inside', async () => {
  const { directory, installed } = await projectWith('longwire');
  expect(installed.length).toBeLessThanOrEqual(5);
  expect(packedAs('longwire').unpackedSize).toBeLessThan(8e6);
  const page = await readdir(join(repository, 'packages/dashboard/dist/assets'));
  expect(page.length).toBeGreaterThan(0);
  expect(packedAs('longwire').files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['index.html', ...page.map((name) => `assets/${name}`)].map(inPage)),
  );
  const inside = join(directory, 'node_modules/longwire/dist/third-party-licences.txt');
  const licences = await readFile(inside, 'utf8');
  for (const name of ['undici', 'zod', 'fastify', '@anthropic-ai/sdk', 'ajv', 'jsonata']) {
    expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+: \\S+`, 'm'));
  }
  await using serving = await serve({ create: () => createDemoServer() });
  const command = join(directory, 'node_modules/longwire/dist/bin.js');
  const { stdout } = await run(process.execPath, [command, 'tools', serving.sseUrl, '--json']);
  expect(stdout).toContain('"name": "echo"');
  const journal = ['run', join(directory, 'flow.yaml'), '--journal', join(directory, 'journal')];
  await writeFile(join(directory, 'flow.yaml'), workflow);
  const args = [command, ...journal, '--server', `demo=${serving.sseUrl}`];
  const failed = await run(process.execPath, args).catch((error: { stderr: string }) => error);
  expect(failed.stderr).toContain('needs the package classic-level');
});

test('npx longwire is the command', async () => {
  await using serving = await serve({ create: () => createDemoServer() });
  const npx = (...args: string[]) => runOfNpm('npx', project, ['longwire', ...args]);
  const { stdout: help } = await npx('--help');
  expect(help).toMatch(/^Usage: longwire COMMAND/);
  const { version } = await manifestOf(join(project, 'node_modules/longwire'));
  expect((await npx('--version')).stdout).toBe(`${version}\n`);
  const { stdout } = await npx('call', serving.sseUrl, 'forecast', 'city=Lisbon', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ structuredContent: { city: 'Lisbon' } });
});
