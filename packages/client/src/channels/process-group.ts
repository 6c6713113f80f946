import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { within } from './within.js';

/** How long what was asked to end by SIGTERM may take, until it is killed. */
const TERM_GRACE_MS = 2000;
/** How long to wait for what was killed; only the kernel, or a zombie, can take so long. */
const KILL_GRACE_MS = 1000;
/** The first pause between two looks whether a group is gone; it doubles. */
const FIRST_PAUSE_MS = 5;

const isWindows = process.platform === 'win32';

/** The groups that are to end with this process. */
const running = new Set<ProcessGroup>();

function killAll(): void {
  for (const group of running) group.kill();
}

/**
 * A process that was started with `detached`, and all that it has started since: on POSIX its
 * process group, which a child can leave only on purpose; on Windows the tree below it.
 *
 * It ends with this process, however that ends: one that a signal ends without a handler excepted,
 * because Node says nothing then.
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

  /** Waits for the first process of the group to end, but not for longer than this. */
  async exitedWithin(ms: number): Promise<void> {
    await within(ms, this.#exited);
  }

  /**
   * Ends what is left of the group, by SIGTERM and then by SIGKILL. Fulfilled when it is gone;
   * harmless when repeated, and never a signal to a group that was seen to be gone.
   */
  end(): Promise<void> {
    this.#ended ??= (isWindows ? this.#endTree() : this.#endGroup()).finally(() => {
      running.delete(this);
      if (running.size === 0) process.off('exit', killAll);
    });
    return this.#ended;
  }

  /** Kills the group without waiting for anything. */
  kill(): void {
    if (isWindows) spawnSync('taskkill', taskkillArgs(this.#pid), { windowsHide: true });
    else this.#signal('SIGKILL');
  }

  async #endGroup(): Promise<void> {
    if (!this.#signal('SIGTERM') || (await this.#goneWithin(TERM_GRACE_MS))) return;
    this.#signal('SIGKILL');
    await this.#goneWithin(KILL_GRACE_MS);
  }

  /** What outlives the first process of a tree cannot be found any more on Windows. */
  async #endTree(): Promise<void> {
    if (hasExited(this.#leader)) return;
    const killer = spawn('taskkill', taskkillArgs(this.#pid), {
      stdio: 'ignore',
      windowsHide: true,
    });
    killer.once('error', () => this.#leader.kill());
    await within(TERM_GRACE_MS, this.#exited);
  }

  async #goneWithin(ms: number): Promise<boolean> {
    const giveUpAt = performance.now() + ms;
    if (!hasExited(this.#leader)) await within(ms, this.#exited);
    for (let pauseMs = FIRST_PAUSE_MS; this.#isRunning(); pauseMs *= 2) {
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0) return false;
      await delay(Math.min(pauseMs, leftMs));
    }
    return true;
  }

  #isRunning(): boolean {
    if (!this.#signal(0)) return false;
    return process.platform !== 'linux' || hasRunningMember(this.#pid);
  }

  /** False if there is nobody to get it: the group is gone, or nothing in it is ours. */
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
 * Whether a group has more than zombies. An orphan that has ended is waited for by the first
 * process of the system; in a container that may be a program that never does.
 */
function hasRunningMember(group: number): boolean {
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
      const [state, , memberOf] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(memberOf) === group && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  });
}
