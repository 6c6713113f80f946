import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();

// One that is caught in a loop does not notice that nobody is there any more.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Has a process end with this one, whatever it is at. */
export function endWithUs(child: ChildProcess): void {
  children.add(child);
  child.once('close', () => children.delete(child));
}
