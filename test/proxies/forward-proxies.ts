import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFolder } from '../support/remove-folder.ts';
import { until } from '../support/until.ts';
import { freePort } from './nginx.ts';

/** A proxy that nobody here wrote, as a process of its own on 127.0.0.1. */
export interface ForwardProxy extends AsyncDisposable {
  /** Without a login. */
  readonly url: string;
  /** Ends it, and starts it again at the same address. */
  restart(): Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
}

/** Who may use it; everybody without. */
export interface Login {
  user: string;
  password: string;
}

/** Debian keeps it where only root's path leads. */
const SQUID = ['squid', '/usr/sbin/squid'];
const NCSA = '/usr/lib/squid/basic_ncsa_auth';

/** The command of tinyproxy; `undefined` where it is not installed. */
export function tinyproxyCommand(): string | undefined {
  return spawnSync('tinyproxy', ['-v']).status === 0 ? 'tinyproxy' : undefined;
}

/** The command of squid; `undefined` where it is not installed. */
export function squidCommand(): string | undefined {
  return SQUID.find((command) => spawnSync(command, ['-v']).status === 0);
}

/** Starts tinyproxy. It opens a way to any port. */
export async function startTinyproxy(command: string, login?: Login): Promise<ForwardProxy> {
  return await startProxy(({ port }) => ({
    config: [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Timeout 600',
      'Allow 127.0.0.1',
      ...(login === undefined ? [] : [`BasicAuth ${login.user} ${login.password}`]),
    ],
    command,
    args: (file) => ['-d', '-c', file],
  }));
}

/**
 * Starts squid, which opens a way to `tlsPort` alone, as it does to 443 unless it is told otherwise. It
 * knows `mcp.company.example` as this machine, which nobody else does.
 */
export async function startSquid(
  command: string,
  { tlsPort, login }: { tlsPort: number; login?: Login },
): Promise<ForwardProxy> {
  const hash = (password: string): string =>
    spawnSync('openssl', ['passwd', '-apr1', password], { encoding: 'utf8' }).stdout.trim();
  return await startProxy(({ port, directory }) => ({
    files: {
      hosts: '127.0.0.1 mcp.company.example\n',
      ...(login !== undefined && { passwords: `${login.user}:${hash(login.password)}\n` }),
    },
    config: [
      `http_port 127.0.0.1:${port}`,
      'pid_filename none',
      'access_log none',
      `cache_log ${directory}/squid.log`,
      `coredump_dir ${directory}`,
      `hosts_file ${directory}/hosts`,
      'cache deny all',
      'shutdown_lifetime 0 seconds',
      `acl tls_ports port ${tlsPort}`,
      'http_access deny CONNECT !tls_ports',
      ...(login === undefined
        ? ['http_access allow all']
        : [
            `auth_param basic program ${NCSA} ${directory}/passwords`,
            'acl known proxy_auth REQUIRED',
            'http_access allow known',
            'http_access deny all',
          ]),
    ],
    command,
    args: (file) => ['-N', '-f', file],
  }));
}

interface Program {
  files?: Record<string, string>;
  config: readonly string[];
  command: string;
  args: (configFile: string) => string[];
}

async function startProxy(
  describe: (at: { port: number; directory: string }) => Program,
): Promise<ForwardProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'longwire-proxy-'));
  // Started by root, squid becomes somebody else.
  await chmod(directory, 0o777);
  const port = await freePort();
  const { files = {}, config, command, args } = describe({ port, directory });
  const file = join(directory, 'proxy.conf');
  await writeFile(file, `${config.join('\n')}\n`);
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(command, args(file), { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    let said = '';
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    }
    await until(async () => {
      if (started.exitCode !== null) throw new Error(`${command} did not start: ${said}`);
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    });
  };
  const stop = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const exited = once(running, 'exit');
    running.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    restart: async () => {
      await stop();
      await start();
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await removeFolder(directory);
    },
  };
}
