import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Browser } from '../../../../test/support/browser.ts';
import { removeFolder } from '../../../../test/support/remove-folder.ts';
import { main } from '../../src/main.ts';
import type { Run } from '../run.ts';

/** A home of a user who has no keychain. */
export interface Home extends AsyncDisposable {
  readonly path: string;
  readonly env: Record<string, string>;
}

/** Makes an empty home. */
export async function makeHome(): Promise<Home> {
  const path = await mkdtemp(join(tmpdir(), 'longwire-login-'));
  return {
    path,
    env: { HOME: path, XDG_CONFIG_HOME: join(path, 'config'), LONGWIRE_KEYCHAIN: 'off' },
    [Symbol.asyncDispose]: () => removeFolder(path),
  };
}

/** A command that runs in this process. */
export interface Running {
  /** Resolves with what `pattern` found in stderr. */
  said(pattern: RegExp): Promise<string>;
  /** Types a line. */
  type(line: string): void;
  interrupt(): void;
  readonly done: Promise<Run>;
}

/** Starts a command that somebody has to answer. */
export function start(args: string[], { env, path }: Home): Running {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const said = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  let interrupt = (): void => undefined;
  stdout.on('data', (chunk) => void (said.stdout += String(chunk)));
  stderr.on('data', (chunk) => {
    said.stderr += String(chunk);
    for (const watcher of watchers) watcher();
  });
  const onInterrupt = (listener: () => void): void => void (interrupt = listener);
  const done = main({ args, env, stdin, stdout, stderr, cwd: path, onInterrupt }).then((code) => ({
    code,
    ...said,
  }));
  return {
    done,
    type: (line) => void stdin.write(`${line}\n`),
    interrupt: () => interrupt(),
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const [, found] = pattern.exec(said.stderr) ?? [];
          if (found === undefined) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        void done.then((run) => reject(new Error(`it ended: ${run.code} ${run.stderr}`)));
        look();
      }),
  };
}

/** Runs a command to its end. */
export async function run(args: string[], home: Home): Promise<Run> {
  return await start(args, home).done;
}

/** Logs in as a person with a browser does, and gives the last page, too. */
export async function logIn(
  url: string,
  home: Home,
  words: string[] = [],
): Promise<Run & { page: string }> {
  const running = start(['login', url, ...words], home);
  const address = await running.said(/(http:\S+\/[0-9a-f]{32})/);
  const { text } = await new Browser().open(address);
  return { ...(await running.done), page: text };
}
