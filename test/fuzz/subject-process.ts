import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './children.ts';
import { CONNECT_MS, DEADLINE_MS, SLACK_MS, TIMEOUT_MS } from './limits.ts';
import { waitPatiently } from './patience.ts';
import { END_OF_OUTPUT, type Assignment, type CaseReport, type SubjectMessage } from './report.ts';

/** Connecting, the lists, the calls, one more call, health, closing, and what may be left open. */
const CASE_MS = CONNECT_MS + 3 * DEADLINE_MS + TIMEOUT_MS + 3000 + SLACK_MS;
const LIBRARY = fileURLToPath(new URL('subject.js', import.meta.url));
const HEAP_MIB = 1024;
const MAX_OUTPUT = 100_000;

/** What a process runs. */
export interface SubjectOptions {
  /** Default: the library. */
  script?: string;
  /** A case that takes longer is one that hangs, in milliseconds. Default: what its limits add up to. */
  patienceMs?: number;
}

/** A subject in its process. Ends with the case in which it hangs or dies. */
export class SubjectProcess {
  readonly #patienceMs: number;
  readonly #child: ChildProcess;
  readonly #ready: Promise<unknown>;
  readonly #ended: Promise<string>;
  #output = { stdout: '', stderr: '' };
  #isEnded = false;
  #onOutput: () => void = () => {};
  #onMessage: (message: SubjectMessage) => void = () => {};

  constructor({ script = LIBRARY, patienceMs = CASE_MS }: SubjectOptions = {}) {
    this.#patienceMs = patienceMs;
    this.#child = fork(script, {
      execArgv: ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    endWithUs(this.#child);
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8').on('data', (text: string) => {
        if (this.#output[name].length < MAX_OUTPUT) this.#output[name] += text;
        this.#onOutput();
      });
    }
    this.#ready = once(this.#child, 'message');
    this.#ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#isEnded = true;
      return `exit code ${String(code)}, signal ${String(signal)}`;
    });
    this.#child.on('message', (message) => this.#onMessage(message as SubjectMessage));
  }

  /** Whether it can take no further case. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Has it meet a server. Fulfilled when it is done, or had to be killed. */
  async meet(assignment: Assignment): Promise<CaseReport> {
    await Promise.race([this.#ready, this.#ended]);
    this.#output = { stdout: '', stderr: '' };
    const report: CaseReport = {
      pending: [],
      settled: [],
      unhandled: [],
      vitals: undefined,
      died: undefined,
      stdout: '',
      stderr: '',
      exitCode: undefined,
      openAtServer: 0,
    };
    const pending = new Set<string>();
    const done = new Promise<'done'>((resolve) => {
      this.#onMessage = (message) => {
        if (message.type === 'began') pending.add(message.operation);
        if (message.type === 'settled') {
          pending.delete(message.operation);
          report.settled.push(message);
        }
        if (message.type === 'unhandled') report.unhandled.push(message.reason);
        if (message.type === 'done') {
          report.vitals = message;
          resolve('done');
        }
      };
    });
    if (!this.#isEnded) this.#child.send(assignment);
    let stopWaiting = (): void => {};
    const late = new Promise<'late'>((resolve) => {
      stopWaiting = waitPatiently(this.#patienceMs, () => resolve('late'));
    });
    const outcome = await Promise.race([done, late, this.#ended]);
    stopWaiting();
    if (outcome === 'late') {
      report.pending = pending.size > 0 ? [...pending] : ['the process itself'];
      await this.end();
    } else if (outcome !== 'done') report.died = `${[...pending].join(', ')}: ${outcome}`;
    // What was written before the message may be read after it.
    else await this.#endOfOutput();
    const { stdout, stderr } = this.#output;
    return {
      ...report,
      stdout: stdout.replace(END_OF_OUTPUT, ''),
      stderr: stderr.replace(END_OF_OUTPUT, ''),
    };
  }

  async #endOfOutput(): Promise<void> {
    const isComplete = (): boolean =>
      Object.values(this.#output).every(
        (text) => text.endsWith(END_OF_OUTPUT) || text.length >= MAX_OUTPUT,
      );
    const complete = new Promise<void>((resolve) => {
      this.#onOutput = () => {
        if (isComplete()) resolve();
      };
      this.#onOutput();
    });
    await Promise.race([complete, this.#ended]);
    this.#onOutput = () => {};
  }

  /** Ends the process at once. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
