import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { removeFolder } from '../support/remove-folder.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const example = join(repository, 'examples/backend');

/** The example in a folder of its own, with the library from its tarball. */
export interface Project extends AsyncDisposable {
  readonly directory: string;
  /** Changes a source, and compiles it all again. */
  change(file: string, from: string, to: string): Promise<void>;
}

/** Packs the library, installs it where there is nothing else, and compiles the example there. */
export async function installExample(): Promise<Project> {
  const root = await mkdtemp(join(tmpdir(), 'longwire-backend-'));
  const directory = join(root, 'project');
  const packing = ['pack', '--workspace', '@longwire/client', '--json', '--pack-destination', root];
  const { stdout } = await npm(repository, packing);
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  await cp(example, directory, {
    recursive: true,
    filter: (path) => !/\/(node_modules|out)$/.test(path),
  });
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund'];
  await npm(directory, [...install, join(root, packed?.filename ?? '')]);
  const compile = (): Promise<unknown> => npm(directory, ['run', 'build']);
  await compile();
  return {
    directory,
    change: async (file, from, to) => {
      const path = join(directory, 'src', file);
      const text = await readFile(path, 'utf8');
      if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
      await writeFile(path, text.replaceAll(from, to));
      await compile();
    },
    [Symbol.asyncDispose]: () => removeFolder(root),
  };
}

/** The service in its process. */
export interface Service extends AsyncDisposable {
  readonly origin: string;
  readonly process: ChildProcess;
  /** All that it wrote. */
  output(): string;
  /** Fulfilled when the process has ended, by its exit code. */
  readonly ended: Promise<number | null>;
}

/** Starts the service of a project with a Node. */
export async function startService(
  { directory }: Project,
  node: string,
  env: Record<string, string>,
): Promise<Service> {
  const child = spawn(node, ['out/main.js'], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const origin = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const [, found] = /^listening on (\S+)/m.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`the service has ended: ${output}`)));
  });
  return {
    origin,
    process: child,
    output: () => output,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs npm without what an npm around this test has set for itself. */
function npm(cwd: string, args: string[]): Promise<{ stdout: string }> {
  const kept =
    /^npm_config_(registry|cache|userconfig|cafile|ca|strict_ssl|proxy|https_proxy|noproxy)$/i;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name)),
  );
  return run('npm', args, { cwd, env, maxBuffer: 32 * 1024 * 1024 });
}
