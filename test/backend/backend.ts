import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { issueToken } from './tokens.mjs';

export const SECRET = 'of the issuer, and of the servers';
const script = fileURLToPath(new URL('server.mjs', import.meta.url));

/** The authorization server: whoever asks for a subject gets a token of it. */
export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /** How many tokens each user got. */
  readonly issued: ReadonlyMap<string, number>;
}

/** Starts an issuer of tokens that are valid for so many seconds. */
export async function startIssuer(expiresIn: number): Promise<Issuer> {
  const issued = new Map<string, number>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const user = new URLSearchParams(body).get('subject') ?? '';
      issued.set(user, (issued.get(user) ?? 0) + 1);
      const token = issueToken(user, Date.now() + expiresIn * 1000, SECRET);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: token, expires_in: expiresIn }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    issued,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A server in a process of its own, which can be killed and comes back on its port. */
export class KilledServer implements AsyncDisposable {
  readonly #kind: string;
  #child: ChildProcess | undefined;
  port = 0;
  restarts = 0;
  /** What it said about users who came into a session of another. */
  readonly crossed: string[] = [];

  constructor(kind: string) {
    this.#kind = kind;
  }

  async start(): Promise<this> {
    const child = spawn(process.execPath, [script, this.#kind, String(this.port)], {
      env: { PATH: process.env['PATH'] ?? '', ISSUER_SECRET: SECRET },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.port = await new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`${this.#kind} ended with ${code}`)));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split('\n')) {
          const [, port] = /^listening on (\d+)/.exec(line) ?? [];
          if (port !== undefined) resolve(Number(port));
          if (line.startsWith('crossed: ')) this.crossed.push(line);
        }
      });
    });
    return this;
  }

  /** Kills it in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Kills it, and starts it again. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
    this.restarts += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
