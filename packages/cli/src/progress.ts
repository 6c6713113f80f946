import type { Progress } from '@longwire/client';
import { sanitizeLine } from './sanitize.js';
import type { Terminal } from './terminal.js';

const barLength = 24;

/**
 * Shows the progress of a call: on the live line, with a bar if the total is known. Without a live
 * line, it is a detail for `--verbose`.
 */
export function showProgress(terminal: Terminal, label: string, progress: Progress): void {
  if (!terminal.live) return terminal.detail(`${label}: ${describeProgress(progress)}`);
  const { progress: done, total } = progress;
  if (!isNumber(done) || !isNumber(total) || total <= 0) {
    return terminal.showLive(`${label} ${describeProgress(progress)}`);
  }
  const share = Math.min(1, Math.max(0, done / total));
  const filled = Math.round(share * barLength);
  const bar = '█'.repeat(filled) + '░'.repeat(barLength - filled);
  terminal.showLive(`${label} ${bar} ${Math.round(share * 100)}% ${messageOf(progress)}`);
}

/** How far it is in a few characters: `3/10 fetching`. */
export function describeProgress(progress: Progress): string {
  const { progress: done, total } = progress;
  const count = isNumber(total) ? `${short(done)}/${short(total)}` : short(done);
  return `${count} ${messageOf(progress)}`.trimEnd();
}

function messageOf({ message }: Progress): string {
  return typeof message === 'string' ? sanitizeLine(message) : '';
}

function short(value: unknown): string {
  return isNumber(value) ? String(Number(value.toFixed(2))) : '?';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
