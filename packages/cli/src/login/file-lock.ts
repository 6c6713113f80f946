import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a holder says that it lives. */
const HEARTBEAT_MS = 3_000;
/** A holder that has not said so for this long holds nothing any more. */
const ABANDONED_MS = 15_000;
/** How long a lock is waited for: requests of its holder have limits. */
const MAX_WAIT_MS = 120_000;
/** Between two looks, with a part by chance. */
const PAUSE_MS = 15;

/** One holder's file. The newest number counts. */
interface Ticket {
  number: number;
  path: string;
}

/**
 * Runs `work` while no other process runs it for the same path. A holder that was killed keeps nobody
 * waiting. Where no file can be written, it runs without a lock.
 *
 * Each holder makes a file with the next number, which the file system lets only one of them do. The
 * newest file is never removed, so nobody can remove the lock of somebody else.
 *
 * @throws what `work` throws; Error after two minutes of waiting; what `signal` was aborted with.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const held = await acquire(path, signal);
  if (held === undefined) return await work();
  const heartbeat = setInterval(() => attempt(() => touch(held)), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    // Its time says that it is free. Whoever took it for abandoned has removed it.
    attempt(() => utimesSync(held, 0, 0));
  }
}

/** The file that is held; `undefined` where none can be written. */
async function acquire(path: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  const endsAt = performance.now() + MAX_WAIT_MS;
  for (;;) {
    signal?.throwIfAborted();
    const newest = newestTicket(path);
    if (newest === undefined || isFree(newest)) {
      const number = (newest?.number ?? 0) + 1;
      const held = `${path}.lock.${number}`;
      const made = make(held);
      if (made === 'read-only') return undefined;
      if (made === 'made') {
        // Others may have come and gone since the look.
        if (newestTicket(path)?.number === number) {
          for (const older of tickets(path)) if (older.number < number) remove(older.path);
          return held;
        }
        remove(held);
      }
      continue;
    }
    if (performance.now() > endsAt) {
      throw new Error('another process renews this login, and does not end');
    }
    await sleep(PAUSE_MS * (1 + Math.random()), undefined, { signal });
  }
}

function make(path: string): 'made' | 'taken' | 'read-only' {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const holder = JSON.stringify({ pid: process.pid, place: place() });
    writeFileSync(path, holder, { flag: 'wx', mode: 0o600 });
    return 'made';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'taken' : 'read-only';
  }
}

/** Released, or its holder is gone. */
function isFree({ path }: Ticket): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > ABANDONED_MS) return true;
    const { pid, place: where } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    return where === place() && typeof pid === 'number' && !isAlive(pid);
  } catch {
    // It is being written, or somebody took its place just now: the next look says more.
    return false;
  }
}

/** In a container of the same host, numbers of processes are others. */
function place(): string {
  let namespace = '';
  attempt(() => (namespace = readlinkSync('/proc/self/ns/pid')));
  return `${hostname()} ${namespace}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function newestTicket(path: string): Ticket | undefined {
  return tickets(path)
    .toSorted((a, b) => a.number - b.number)
    .at(-1);
}

function tickets(path: string): Ticket[] {
  const directory = dirname(path);
  const prefix = `${basename(path)}.lock.`;
  let names: string[] = [];
  attempt(() => (names = readdirSync(directory)));
  return names.flatMap((name) => {
    const digits = name.slice(prefix.length);
    if (!name.startsWith(prefix) || !/^\d{1,15}$/.test(digits)) return [];
    return [{ number: Number(digits), path: join(directory, name) }];
  });
}

/** Removes the lock of what is no more. */
export function removeLock(path: string): void {
  for (const ticket of tickets(path)) remove(ticket.path);
}

function touch(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}

function remove(path: string): void {
  attempt(() => rmSync(path, { force: true }));
}

function attempt(action: () => unknown): void {
  try {
    action();
  } catch {
    // What is not there any more needs nothing.
  }
}
