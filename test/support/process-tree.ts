import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * The processes below `pid`, the process itself not included, without those that have already
 * ended. To be asked while `pid` is alive: children of a dead process belong to nobody.
 */
export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const [child, parent] of process.platform === 'linux' ? fromProc() : fromPs()) {
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const found: number[] = [];
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const below = children.get(next) ?? [];
    found.push(...below);
    queue.push(...below);
  }
  return found;
}

/** Whether a process with this id runs; one that ended and was not waited for yet does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || statOf(pid)?.state !== 'Z';
}

/** Ends a process at once; harmless when it has ended already. */
export function killAtOnce(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Pairs of a process and its parent. */
function fromProc(): [number, number][] {
  return readdirSync('/proc').flatMap((entry): [number, number][] => {
    const stat = /^\d+$/.test(entry) ? statOf(Number(entry)) : undefined;
    return stat && stat.state !== 'Z' ? [[Number(entry), stat.parent]] : [];
  });
}

function fromPs(): [number, number][] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line): [number, number][] => {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    return pid && parent ? [[pid, parent]] : [];
  });
}

/** Of `/proc/<pid>/stat`; the command in it is in parentheses and may hold anything. */
function statOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
