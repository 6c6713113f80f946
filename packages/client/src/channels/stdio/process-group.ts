import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { withTimeout } from '../../with-timeout.js';

/** How long a group may take to end after SIGTERM, until SIGKILL. */
const TERM_GRACE_MS = 2000;
/** How long to wait after SIGKILL; only the kernel, or a zombie, can take so long. */
const KILL_GRACE_MS = 1000;
/** The first pause between two checks whether a group has ended; it doubles. */
const FIRST_PAUSE_MS = 5;

const isWindows = process.platform === 'win32';

/** The groups that end with this process. */
const running = new Set<ProcessGroup>();

function killAll(): void {
  for (const group of running) group.kill();
}

/**
 * A process that was started with `detached`, and all processes that it has started: on POSIX its
 * process group, which a child leaves only on purpose; on Windows the tree below it.
 *
 * It ends with this process, except after a signal without a handler, of which Node says nothing.
 */
export class ProcessGroup {
  readonly #leader: ChildProcess;
  readonly #pid: number;
  readonly #exited: Promise<void>;
  #ended: Promise<void> | undefined;

  /** Of a process that has just started. */
  constructor(leader: ChildProcess) {
    this.#leader = leader;
    this.#pid = leader.pid as number;
    this.#exited = new Promise((resolve) => leader.once('exit', () => resolve()));
    if (running.size === 0) process.on('exit', killAll);
    running.add(this);
  }

  /** Waits at most so long for the first process of the group to end. */
  async exitedWithin(ms: number): Promise<void> {
    await withTimeout(ms, this.#exited);
  }

  /**
   * Ends the group, by SIGTERM and then by SIGKILL. Fulfilled when it has ended; harmless when
   * repeated: a group that has ended gets no signal.
   */
  end(): Promise<void> {
    this.#ended ??= (isWindows ? this.#endTree() : this.#endGroup()).finally(() => {
      running.delete(this);
      if (running.size === 0) process.off('exit', killAll);
    });
    return this.#ended;
  }

  /** Kills the group, without waiting. */
  kill(): void {
    if (isWindows) spawnSync('taskkill', taskkillArgs(this.#pid), { windowsHide: true });
    else this.#signal('SIGKILL');
  }

  async #endGroup(): Promise<void> {
    if (!this.#signal('SIGTERM') || (await this.#goneWithin(TERM_GRACE_MS))) return;
    this.#signal('SIGKILL');
    await this.#goneWithin(KILL_GRACE_MS);
  }

  /** On Windows the tree cannot be found any more once its first process has ended. */
  async #endTree(): Promise<void> {
    if (hasExited(this.#leader)) return;
    const killer = spawn('taskkill', taskkillArgs(this.#pid), {
      stdio: 'ignore',
      windowsHide: true,
    });
    killer.once('error', () => this.#leader.kill());
    await withTimeout(TERM_GRACE_MS, this.#exited);
  }

  async #goneWithin(ms: number): Promise<boolean> {
    const endsAt = performance.now() + ms;
    if (!hasExited(this.#leader)) await withTimeout(ms, this.#exited);
    for (let pauseMs = FIRST_PAUSE_MS; this.#isRunning(); pauseMs *= 2) {
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) return false;
      await delay(Math.min(pauseMs, leftMs));
    }
    return true;
  }

  #isRunning(): boolean {
    if (!this.#signal(0)) return false;
    return process.platform !== 'linux' || hasRunningProcess(this.#pid);
  }

  /** False if no process got it: the group has ended, or none of it is ours. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.#pid, signal);
    } catch {
      return false;
    }
  }
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function taskkillArgs(pid: number): string[] {
  return ['/PID', String(pid), '/T', '/F'];
}

/**
 * Whether a group has other processes than zombies. The first process of the system has to reap
 * orphans; in a container that may be a program that never does.
 */
function hasRunningProcess(group: number): boolean {
  let entries: string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return true;
  }
  return entries.some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      // The name of the program comes first, in parentheses, and may hold anything.
      const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(processGroup) === group && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  });
}
