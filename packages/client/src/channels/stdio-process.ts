import type { Buffer } from 'node:buffer';
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';
import spawn from 'cross-spawn';
import { ConnectionLostError, LongwireError } from '../errors.js';
import { ProcessGroup } from './process-group.js';
import { TextTail } from './text-tail.js';

/** How long a server whose input has ended may take to exit by itself. */
const EXIT_GRACE_MS = 500;
/**
 * How long to wait, once a process has exited or let go of a pipe, until its pipes have ended too.
 * They do at once, unless something that it left behind holds them.
 */
const DRAIN_MS = 250;
/** How much of what it wrote to its standard error is kept. */
const LAST_WORDS_BYTES = 4096;
const MAX_ADDRESS_CHARACTERS = 200;

/** How a server process is started. */
export interface StdioCommand {
  /** The program: a path, or a name that is looked up in `PATH`. */
  command: string;
  /** Default: none. */
  args?: readonly string[] | undefined;
  /** Variables beside those that are inherited: `PATH`, `HOME` and their like. Default: none. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Its working directory. Default: that of this process. */
  cwd?: string | undefined;
}

/** Who is told what a server process says. */
export interface StdioProcessListener {
  /** What it wrote to its standard output. */
  onData(chunk: Buffer): void;
  /** Once: it exited, or closed a pipe, and everything that it wrote before has been given out. */
  onEnd(reason: LongwireError): void;
}

/** A server that runs as a process of our own, and what it has started. */
export class StdioProcess {
  /** Who is told. To be put here in the tick in which the process was started. */
  listener: StdioProcessListener | undefined;
  /** The command line, at most 200 characters of it. */
  readonly address: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #group: ProcessGroup;
  readonly #lastWords = new TextTail(LAST_WORDS_BYTES);
  /** What it did first of all that makes it no server any more. */
  #failing: string | undefined;
  #failure: LongwireError | undefined;
  #drain: NodeJS.Timeout | undefined;
  #isOver = false;
  #ended: Promise<void> | undefined;

  private constructor(child: ChildProcessWithoutNullStreams, command: StdioCommand) {
    this.#child = child;
    this.#group = new ProcessGroup(child);
    this.address = addressOf(command);
    child.stdout.on('data', (chunk: Buffer) => this.listener?.onData(chunk));
    child.stdout.on('end', () => this.#fail('closed its standard output'));
    child.stdout.on('error', () => this.#fail('closed its standard output'));
    child.stderr.on('data', (chunk: Buffer) => this.#lastWords.push(chunk));
    child.stderr.on('error', () => {});
    child.stdin.on('error', () => this.#fail('closed its standard input'));
    // On Windows a shell starts first, and only its exit says that there is no such program.
    child.on('error', (cause) => {
      this.#failure = startError(command, cause);
      this.#fail('could not be started');
    });
    child.on('exit', () => {
      // What it left behind would be nobody's.
      void this.#group.end();
      this.#fail('exited');
    });
    child.on('close', () => this.#finish());
  }

  /**
   * Starts a process.
   *
   * @throws LongwireError `connect-failed` if there is no such program, or it cannot be run.
   */
  static start(command: StdioCommand): Promise<StdioProcess> {
    return new Promise((resolve, reject) => {
      try {
        const child: ChildProcess = spawn(command.command, command.args ?? [], {
          cwd: command.cwd,
          env: environment(command.env),
          stdio: 'pipe',
          // A group of its own; on Windows it would be a console of its own.
          detached: process.platform !== 'win32',
          windowsHide: true,
        });
        child.once('error', (cause) => reject(startError(command, cause)));
        child.once('spawn', () =>
          resolve(new StdioProcess(child as ChildProcessWithoutNullStreams, command)),
        );
      } catch (cause) {
        reject(startError(command, cause));
      }
    });
  }

  /** Its standard input. An error of it ends the process, and need not be listened to. */
  get stdin(): Writable {
    return this.#child.stdin;
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid as number;
  }

  /** It has exited or closed a pipe, though not everything that it wrote may have come yet. */
  get isFailing(): boolean {
    return this.#failing !== undefined;
  }

  /** The end of what it wrote to its standard error, at most 4 KiB; control sequences included. */
  get lastWords(): string {
    return this.#lastWords.toString();
  }

  /**
   * Ends the process and what it has started: its input ends, then comes SIGTERM, then SIGKILL.
   * Fulfilled when nothing of it is left; harmless when repeated.
   */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#child.stdin.end();
    await this.#group.exitedWithin(EXIT_GRACE_MS);
    await this.#group.end();
    clearTimeout(this.#drain);
    // Something that has left the group may hold them, and they would hold this process.
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  #fail(what: string): void {
    this.#failing ??= what;
    // After a busy while the timer comes before the data that has waited, the immediate after it.
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
    // An exit says more than what it closed a moment before.
    if (exitCode !== null) what = `ended with code ${exitCode}`;
    else if (signalCode !== null) what = `was ended by ${signalCode}`;
    const { lastWords } = this;
    const words = lastWords === '' ? '' : `; its last words: ${lastWords}`;
    return new ConnectionLostError(`the server process (${this.address}) ${what}${words}`, {
      certainty: 'outcome-unknown',
    });
  }
}

/** Of whole words: a part of a secret would be recognised by nobody who hides secrets. */
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

function environment(configured: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const inherited = getDefaultEnvironment();
  if (process.platform === 'win32') {
    // Names that differ only in case are one there, and the alphabet would say whose value wins.
    for (const name of Object.keys(configured)) delete inherited[name.toUpperCase()];
  }
  return { ...inherited, ...configured };
}

function startError({ command, cwd }: StdioCommand, cause: unknown): LongwireError {
  const { code, message } = cause as NodeJS.ErrnoException;
  let why = String(message);
  let hint: string | undefined;
  // Node says the same of a working directory as of a program.
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
