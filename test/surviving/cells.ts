import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFaultyProxy, type FaultyProxy } from '@longwire/testing';
import { killAtOnce } from '../support/process-tree.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { until } from '../support/until.ts';

/** How a program reaches the server that writes. */
export interface Way {
  readonly title: string;
  readonly path?: string;
  readonly options?: object;
  /** Whether the program wants the handle of a task. */
  readonly wantsTask: boolean;
  readonly isTask: boolean;
}

/** By transport and version; the kit's tool is the same for all. */
export const WAYS = {
  sse: {
    title: '2024-11-05, HTTP+SSE',
    path: '/sse',
    options: { transport: 'sse', protocol: '2024-11-05' },
    wantsTask: true,
    isTask: false,
  },
  call: {
    title: '2025-11-25, Streamable HTTP, a call',
    path: '/mcp',
    options: { transport: 'streamable-http', protocol: '2025-11-25' },
    wantsTask: false,
    isTask: false,
  },
  task: {
    title: '2025-11-25, Streamable HTTP, a task',
    path: '/mcp',
    options: { transport: 'streamable-http', protocol: '2025-11-25' },
    wantsTask: true,
    isTask: true,
  },
  modern: {
    title: '2026-07-28, Streamable HTTP, a task',
    path: '/mcp',
    options: { transport: 'streamable-http', protocol: '2026-07-28' },
    wantsTask: true,
    isTask: true,
  },
  stdio: { title: 'stdio', wantsTask: true, isTask: false },
} as const satisfies Readonly<Record<string, Way>>;

export type WayName = keyof typeof WAYS;

export const WAY_NAMES = Object.keys(WAYS) as WayName[];

/** Beyond this a case hangs. */
export const LIMIT_MS = 90_000;

/** What a program came to. */
export type Outcome =
  | { readonly is: 'result'; readonly text: string; readonly progress: number }
  | {
      readonly is: 'error';
      readonly code: string;
      readonly certainty: string;
      readonly message: string;
    }
  /** It was started again, and has nothing to ask for. */
  | { readonly is: 'not known' };

/** What happened in a cell of the table. */
export interface Cell {
  readonly outcome: Outcome;
  /** How often the tool began, and how often it did all. */
  readonly begun: number;
  readonly written: number;
  readonly seconds: number;
}

/** One write, and the processes that it needs. */
export class Rig implements AsyncDisposable {
  readonly #way: Way;
  readonly #writeMs: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'longwire-surviving-'));
  readonly #begunAt = performance.now();
  /** Of the server, which is started again on the same. */
  #port = 0;
  #proxy: FaultyProxy | undefined;
  #server: ChildProcess | undefined;
  #caller: ChildProcess | undefined;
  #outcome: Outcome | undefined;

  private constructor(way: Way, writeMs: number) {
    this.#way = way;
    this.#writeMs = writeMs;
  }

  /** Starts the server, the network before it, and the program. Fulfilled when the tool runs. */
  static async start(way: Way, writeMs: number): Promise<Rig> {
    const rig = new Rig(way, writeMs);
    try {
      if (way.path !== undefined) {
        await rig.startServer();
        rig.#proxy = await createFaultyProxy({ target: `http://127.0.0.1:${rig.#port}` });
      }
      rig.startCaller();
      await until(() => rig.#runs().length > 0);
      if (way.isTask) await until(() => rig.isOver || existsSync(rig.#file('handle')));
      return rig;
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
  }

  get hasNetwork(): boolean {
    return this.#proxy !== undefined;
  }

  /** The network between the program and the server; over stdio there is none. */
  get network(): FaultyProxy {
    if (this.#proxy === undefined) throw new Error('there is no network');
    return this.#proxy;
  }

  /** Whether the program has said what it came to. */
  get isOver(): boolean {
    return this.#outcome !== undefined;
  }

  /** Whether the tool has done all. */
  get isWritten(): boolean {
    return this.#runs().some((line) => line.startsWith('ends'));
  }

  async startServer(): Promise<void> {
    const child = startProgram('server.mjs', {
      port: this.#port,
      runs: this.#file('runs'),
      tasks: this.#file('tasks'),
    });
    this.#server = child;
    this.#port = await new Promise((resolve, reject) => {
      child.once('message', ({ url }: { url: string }) => resolve(Number(new URL(url).port)));
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    });
  }

  /** Ends the server: at once, or as an operator does. Over stdio it is a child of the program. */
  async stopServer(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.#server === undefined) process.kill(this.#writers()[0] ?? NaN, signal);
    else await ended(this.#server, signal);
  }

  startCaller(): void {
    const { path, options, wantsTask } = this.#way;
    const stdio = {
      command: process.execPath,
      args: [fileOf('stdio-server.mjs'), this.#file('runs')],
    };
    const child = startProgram('caller.mjs', {
      target: path === undefined ? stdio : `${this.network.origin}${path}`,
      options: {
        retry: { firstConnect: true, firstDelayMs: 50, maxDelayMs: 200, maxAttempts: 1_000 },
        ...options,
      },
      handle: this.#file('handle'),
      begun: this.#file('begun'),
      args: { key: 'ledger', ms: this.#writeMs },
      wantsTask,
    });
    child.on('message', (outcome: Outcome) => {
      this.#outcome ??= outcome;
    });
    this.#caller = child;
  }

  async killCaller(): Promise<void> {
    if (this.#caller !== undefined) await ended(this.#caller, 'SIGKILL');
  }

  /** Waits for what the program says. */
  async end(): Promise<Cell> {
    await until(() => this.isOver, LIMIT_MS);
    const outcome = this.#outcome;
    if (outcome === undefined) throw new Error('the program said nothing');
    const runs = this.#runs();
    return {
      outcome,
      begun: runs.filter((line) => line.startsWith('begins')).length,
      written: runs.filter((line) => line.startsWith('ends')).length,
      seconds: (performance.now() - this.#begunAt) / 1_000,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.#caller, this.#server]) {
      if (child !== undefined) await ended(child, 'SIGKILL');
    }
    for (const pid of this.#writers()) killAtOnce(pid);
    await this.#proxy?.close();
    await removeFolder(this.#folder);
  }

  #runs(): string[] {
    const file = this.#file('runs');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** The processes in which the tool began. */
  #writers(): number[] {
    return this.#runs().flatMap((line) => {
      const pid = / in (\d+)$/.exec(line)?.[1];
      return pid === undefined ? [] : [Number(pid)];
    });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function startProgram(name: string, given: object): ChildProcess {
  return fork(fileOf(name), [JSON.stringify(given)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function ended(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
