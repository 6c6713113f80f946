import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { removeFolder } from '../support/remove-folder.ts';

/** nginx, in front of a server. */
export interface Nginx extends AsyncDisposable {
  readonly origin: string;
}

/** Debian keeps it where only root's path leads. */
const COMMANDS = ['nginx', '/usr/sbin/nginx'];

/** The command; `undefined` where nginx is not installed. */
export function nginxCommand(): string | undefined {
  return COMMANDS.find((command) => spawnSync(command, ['-v']).status === 0);
}

/**
 * Starts nginx in a directory of its own.
 *
 * @param servers what stands in its block `http`, with `PORT` where it listens.
 */
export async function startNginx(command: string, servers: string): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), 'longwire-nginx-'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join('\n');
  const config = `
    daemon off;
    pid ${directory}/nginx.pid;
    error_log stderr;
    events {}
    http { access_log off; ${temporary} ${servers.replaceAll('PORT', `127.0.0.1:${port}`)} }`;
  await writeFile(join(directory, 'nginx.conf'), config);
  const args = ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr'];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const origin = `http://127.0.0.1:${port}`;
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`nginx did not start: ${said}`);
    await fetch(origin).then((answer) => answer.body?.cancel());
  });
  return {
    origin,
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await removeFolder(directory);
    },
  };
}

/** A port of 127.0.0.1 at which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
