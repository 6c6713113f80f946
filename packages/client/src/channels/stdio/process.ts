import type { Buffer } from 'node:buffer';
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { ConnectionLostError, LongwireError } from '../../errors.js';
import { ProcessGroup } from './process-group.js';
import { OutputLines } from './output-lines.js';
import { TextTail } from './text-tail.js';
import type { WireObserver, WireProcess } from '../../options/wire-event.js';
import { ReadBudget } from '../../read-budget.js';
import { withTimeout } from '../../with-timeout.js';

/** How long a server may take to exit after the end of its input. */
const EXIT_GRACE_MS = 500;
/**
 * How long to wait for the end of all pipes once a process has exited or closed one. They end at once,
 * unless another process that it started holds them.
 */
const DRAIN_MS = 250;
/** How much of its standard error is kept. */
const LAST_WORDS_BYTES = 4096;
const MAX_ADDRESS_CHARACTERS = 200;

/** How a server process is started. */
export interface StdioCommand {
  /** The program: a path, or a name in `PATH`. */
  command: string;
  /** Default: none. */
  args?: readonly string[] | undefined;
  /** Variables in addition to the inherited ones: `PATH`, `HOME` and the like. Default: none. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Its working directory. Default: that of this process. */
  cwd?: string | undefined;
}

/** Receives what a server process writes. */
export interface StdioProcessListener {
  /** Bytes of its standard output. */
  onData(chunk: Buffer): void;
  /** Once: it exited or closed a pipe, and everything that it wrote before was delivered. */
  onEnd(reason: LongwireError): void;
}

/** A server that runs as a child process, with all processes that it has started. */
export class StdioProcess {
  /** To be set in the tick in which the process was started. */
  listener: StdioProcessListener | undefined;
  /** The command line, at most 200 characters of it. */
  readonly address: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #group: ProcessGroup;
  readonly #lastWords = new TextTail(LAST_WORDS_BYTES);
  /** What it did first that ended it as a server. */
  #failing: string | undefined;
  #failure: LongwireError | undefined;
  #drain: NodeJS.Timeout | undefined;
  #isOver = false;
  #ended: Promise<void> | undefined;
  /** Who observes it has been told of its exit; `undefined` if nobody does. */
  #told: Promise<void> | undefined;

  private constructor(
    child: ChildProcessWithoutNullStreams,
    command: StdioCommand,
    observe: WireObserver | undefined,
  ) {
    this.#child = child;
    this.#group = new ProcessGroup(child);
    this.address = addressOf(command);
    const budget = new ReadBudget();
    child.stdout.on('data', (chunk: Buffer) => {
      this.listener?.onData(chunk);
      budget.spend(chunk.length, child.stdout);
    });
    child.stdout.on('end', () => this.#fail('closed its standard output'));
    child.stdout.on('error', () => this.#fail('closed its standard output'));
    child.stderr.on('data', (chunk: Buffer) => this.#lastWords.push(chunk));
    child.stderr.on('error', () => {});
    child.stdin.on('error', () => this.#fail('closed its standard input'));
    // On Windows a shell starts first, and reports a missing program only by its exit.
    child.on('error', (cause) => {
      this.#failure = startError(command, cause);
      this.#fail('could not be started');
    });
    child.on('exit', () => {
      // Processes that it started would stay.
      void this.#group.end();
      this.#fail('exited');
    });
    child.on('close', () => this.#finish());
    if (observe !== undefined) this.#observe(observe);
  }

  /**
   * Starts a process. `observe` is told of its begin and end, and of what it writes to its standard error.
   *
   * @throws LongwireError `connect-failed` if there is no such program, or it cannot be run.
   */
  static async start(command: StdioCommand, observe?: WireObserver): Promise<StdioProcess> {
    // Loaded by programs that start a server, and not by all.
    const [{ default: spawn }, { getDefaultEnvironment }] = await Promise.all([
      import('cross-spawn'),
      import('@modelcontextprotocol/client/stdio'),
    ]);
    const env = environment(getDefaultEnvironment(), command.env);
    return await new Promise((resolve, reject) => {
      try {
        const child: ChildProcess = spawn(command.command, command.args ?? [], {
          cwd: command.cwd,
          env,
          stdio: 'pipe',
          // With its own group; on Windows it would be its own console.
          detached: process.platform !== 'win32',
          windowsHide: true,
        });
        child.once('error', (cause) => reject(startError(command, cause)));
        child.once('spawn', () =>
          resolve(new StdioProcess(child as ChildProcessWithoutNullStreams, command, observe)),
        );
      } catch (cause) {
        reject(startError(command, cause));
      }
    });
  }

  /** Its standard input. An error of it ends the process, and needs no listener. */
  get stdin(): Writable {
    return this.#child.stdin;
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid as number;
  }

  /** It has exited or closed a pipe; some of what it wrote may still come. */
  get isFailing(): boolean {
    return this.#failing !== undefined;
  }

  /** The end of what it wrote to its standard error, at most 4 KiB; control sequences included. */
  get lastWords(): string {
    return this.#lastWords.toString();
  }

  /**
   * Ends the process and all that it has started: its input ends, then comes SIGTERM, then SIGKILL.
   * Fulfilled when none of them is left; harmless when repeated.
   */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  #observe(observe: WireObserver): void {
    const child = this.#child;
    const { pid } = this;
    const tell = (event: Pick<WireProcess, 'phase' | 'exitCode' | 'signal'>): void =>
      observe({ type: 'process', pid, command: this.address, ...event });
    const lines = new OutputLines((line) => observe({ type: 'output', from: 'stderr', pid, line }));
    const budget = new ReadBudget();
    child.stderr.on('data', (chunk: Buffer) => {
      lines.push(chunk);
      budget.spend(chunk.length, child.stderr);
    });
    child.stderr.on('close', () => lines.end());
    // What it wrote has been told by then.
    this.#told = new Promise((resolve) => {
      child.on('close', (exitCode, signal) => {
        tell({ phase: 'exited', exitCode: exitCode ?? undefined, signal: signal ?? undefined });
        resolve();
      });
    });
    tell({ phase: 'started', exitCode: undefined, signal: undefined });
  }

  async #end(): Promise<void> {
    this.#child.stdin.end();
    await this.#group.exitedWithin(EXIT_GRACE_MS);
    await this.#group.end();
    clearTimeout(this.#drain);
    // A process that has left the group may hold them, and they would keep this process alive.
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    if (this.#told !== undefined) await withTimeout(EXIT_GRACE_MS, this.#told);
  }

  #fail(what: string): void {
    this.#failing ??= what;
    // After a busy time the timer fires before the waiting data is read, but the immediate after it.
    this.#drain ??= setTimeout(() => setImmediate(() => this.#finish()), DRAIN_MS);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#drain);
    this.listener?.onEnd(this.#failure ?? this.#lost());
    void this.end();
  }

  #lost(): LongwireError {
    const { exitCode, signalCode } = this.#child;
    let what = this.#failing ?? 'ended';
    // An exit says more than a pipe that closed a moment before.
    if (exitCode !== null) what = `ended with code ${exitCode}`;
    else if (signalCode !== null) what = `was ended by ${signalCode}`;
    const { lastWords } = this;
    const words = lastWords === '' ? '' : `; its last words: ${lastWords}`;
    return new ConnectionLostError(`the server process (${this.address}) ${what}${words}`, {
      certainty: 'outcome-unknown',
    });
  }
}

/** Shortened between words: the part of a secret could not be recognized and masked. */
function addressOf({ command, args = [] }: StdioCommand): string {
  const left = ' …';
  let address = command.slice(0, MAX_ADDRESS_CHARACTERS - left.length);
  for (const arg of args) {
    const longer = `${address} ${arg}`;
    if (longer.length + left.length > MAX_ADDRESS_CHARACTERS) return address + left;
    address = longer;
  }
  return address;
}

function environment(
  inherited: Record<string, string>,
  configured: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  if (process.platform === 'win32') {
    // Names that differ only in case are the same there, and the alphabet would decide which value wins.
    for (const name of Object.keys(configured)) delete inherited[name.toUpperCase()];
  }
  return { ...inherited, ...configured };
}

function startError({ command, cwd }: StdioCommand, cause: unknown): LongwireError {
  const { code, message } = cause as NodeJS.ErrnoException;
  let why = String(message);
  let hint: string | undefined;
  // Node reports a missing working directory like a missing program.
  if (code === 'ENOENT' && cwd !== undefined && !existsSync(cwd)) {
    why = `its working directory ${cwd} does not exist`;
    hint = 'check cwd';
  } else if (code === 'ENOENT') {
    why = 'there is no such program';
    hint = 'check command and the PATH that it is looked up in, or install the program';
  } else if (code === 'EACCES') {
    why = 'it may not be executed';
    hint = 'check the permissions of the file, and that command names a program';
  }
  return new LongwireError(`cannot start ${command}: ${why}`, {
    code: 'connect-failed',
    certainty: 'not-sent',
    hint,
    cause,
  });
}
