import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { descendantsOf, killAtOnce } from './process-tree.ts';
import { removeFolder } from './remove-folder.ts';

/** How a command ended, and all that it wrote. */
export interface CliRun {
  /** The exit code, or `null` if a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** What a command is run with. Nothing of the environment of the test reaches it, `PATH` excepted. */
export interface CliOptions {
  /** The whole environment, beside `PATH`, `HOME` and `TMPDIR`. */
  env?: Record<string, string>;
  /** What it reads: this text and then the end, or what is written later. Default: nothing. */
  stdin?: { text: string } | 'open' | 'closed';
  /** Where it runs. Default: an empty directory, which is also its home and is deleted afterwards. */
  cwd?: string;
  /** After this time it is killed and the run fails. Default 20 000. */
  killAfterMs?: number;
  /** Sends SIGINT as soon as stdout or stderr matches. */
  interruptOn?: RegExp;
  /** The id of the user who runs it, which only root may choose. Default: who runs the test. */
  user?: number | undefined;
  /** The file to run. Default: the built command, `packages/cli/dist/bin.js`. */
  bin?: string;
}

/** A command that runs. */
export interface CliProcess extends AsyncDisposable {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Writes to its stdin, which must be `open`. */
  write(text: string): void;
  /** Ends its stdin. */
  endInput(): void;
  /** Resolves as soon as stdout or stderr matches, control sequences aside. */
  waitFor(pattern: RegExp): Promise<void>;
  /** Sends a signal to it alone. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended and all that it wrote has arrived; fails when it had to be killed. */
  readonly done: Promise<CliRun>;
}

const builtCommand = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));

/** Runs the `longwire` command to its end. */
export async function runCli(args: string[], options: CliOptions = {}): Promise<CliRun> {
  await using command = await startCli(args, options);
  return await command.done;
}

/** Starts the `longwire` command as a process of its own. */
export async function startCli(args: string[], options: CliOptions = {}): Promise<CliProcess> {
  const { env = {}, stdin = 'closed', killAfterMs = 60_000, bin = builtCommand } = options;
  if (!existsSync(bin)) throw new Error(`${bin} is not there: run \`npm run build\` first`);
  const home = await mkdtemp(join(tmpdir(), 'longwire-cli-'));

  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd ?? home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home, ...env },
    stdio: [stdin === 'closed' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(options.user !== undefined && { uid: options.user, gid: options.user }),
  });
  const { pid = 0, stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('the command has no output to read');
  const output = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  const take = (name: 'stdout' | 'stderr') => (text: string) => {
    output[name] += text;
    for (const watcher of watchers) watcher();
  };
  stdout.setEncoding('utf8').on('data', take('stdout'));
  stderr.setEncoding('utf8').on('data', take('stderr'));
  // A command that ends without reading everything is no error of the test.
  child.stdin?.on('error', () => {});
  if (typeof stdin === 'object') child.stdin?.end(stdin.text);

  let killed = false;
  const killTree = (): void => [pid, ...descendantsOf(pid)].forEach(killAtOnce);
  const killTimer = setTimeout(() => {
    killed = true;
    killTree();
  }, killAfterMs);

  const ended = once(child, 'close').then(async ([code, signal]) => {
    clearTimeout(killTimer);
    await removeFolder(home);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const done = ended.then((end) => {
    if (!killed) return { ...end, ...output };
    throw new Error(`longwire ${args.join(' ')} did not end in ${killAfterMs} ms\n${told()}`);
  });
  done.catch(() => {});

  function told(): string {
    return `stdout: ${output.stdout}\nstderr: ${output.stderr}`;
  }

  function waitFor(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const texts = Object.values(output).map(stripVTControlCharacters);
        if (!texts.some((text) => pattern.test(text))) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      void ended.then(() => reject(new Error(`it ended without ${String(pattern)}\n${told()}`)));
      look();
    });
  }

  if (options.interruptOn) {
    void waitFor(options.interruptOn).then(
      () => child.kill('SIGINT'),
      () => {},
    );
  }
  return {
    pid,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    write: (text) => void child.stdin?.write(text),
    endInput: () => void child.stdin?.end(),
    waitFor,
    kill: (signal) => void child.kill(signal),
    done,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) killTree();
      await ended;
    },
  };
}
