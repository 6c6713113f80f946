import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { descendantsOf, killAtOnce } from '../../support/process-tree.ts';
import { removeFolder } from '../../support/remove-folder.ts';
import { repository } from '../blocks.ts';
import type { DocumentedServers } from './servers.ts';
import type { Came } from './update.ts';

/** The home directory of whom the page is for. What is run is in its folder `work`. */
const HOME = '/home/you';

/** How long the commands of one block may take on a busy machine. */
const MAX_BLOCK_MS = 60_000;

/** Stands before the exit code of each command. */
const MARK = '\u001E';

/** A directory of its own, with a home, where the blocks of a section are run one after the other. */
export interface ConsoleRoom extends AsyncDisposable {
  /** Runs commands in one sh, which goes on after one that fails. `given` is run before, and unseen. */
  run(commands: readonly string[], given: string): Promise<Came[]>;
}

/**
 * Makes one. `servers` says where the addresses of the page are; `programs` are what is on the path
 * beside `longwire`, as bodies of scripts for sh.
 */
export async function createRoom(
  servers: DocumentedServers,
  programs: Readonly<Record<string, string>> = {},
): Promise<ConsoleRoom> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'longwire-console-')));
  const [home, bin] = [join(root, 'home'), join(root, 'bin')];
  const work = join(home, 'work');
  await mkdir(work, { recursive: true });
  await mkdir(bin);
  const modules = join(repository, 'node_modules');
  await symlink(modules, join(work, 'node_modules'), 'dir');
  const longwire = join(repository, 'packages/cli/dist/bin.js');
  const scripts = { longwire: `exec "${process.execPath}" "${longwire}" "$@"`, ...programs };
  for (const [name, body] of Object.entries(scripts)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  const env = {
    PATH: [bin, join(modules, '.bin'), process.env['PATH']].join(delimiter),
    HOME: home,
    TMPDIR: root,
    LANG: 'C.UTF-8',
    // What is installed is enough.
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  const here = (text: string): string => servers.real(text).replaceAll(HOME, home);
  const shown = (text: string): string =>
    servers.documented(stripVTControlCharacters(text)).replaceAll(home, HOME);

  async function run(commands: readonly string[], given: string): Promise<Came[]> {
    const before = given.trim() === '' ? '' : `{ ${given.trim()}\n} >/dev/null || exit\n`;
    const marked = commands.map((command) => `${command}\nprintf '${MARK}%s\\n' "$?"\n`);
    const text = here(`exec 2>&1\n${before}${marked.join('')}`);
    const child = spawn('sh', ['-c', text], { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => (output += part));
    }
    const { pid = 0 } = child;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      [pid, ...descendantsOf(pid)].forEach(killAtOnce);
    }, MAX_BLOCK_MS);
    await once(child, 'close');
    clearTimeout(timer);
    const came = [...output.matchAll(new RegExp(`(.*?)${MARK}(\\d+)\n`, 'gs'))].map(
      ([, all = '', code]) => ({
        lines: all === '' ? [] : shown(all).replace(/\n$/, '').split('\n'),
        code: Number(code),
      }),
    );
    if (came.length === commands.length) return came;
    const why = isLate ? `did not end in ${MAX_BLOCK_MS} ms` : 'ended the shell';
    throw new Error(`$ ${commands[came.length] ?? ''}\n${why}:\n${shown(output)}`);
  }
  return { run, [Symbol.asyncDispose]: () => removeFolder(root) };
}
