import type { WireEvent, WireObserver, WireOutput } from '@longwire/client';
import { sanitizeLine } from '../sanitize.js';

/** How many lines of one server are shown in a second. */
const MAX_LINES = 200;
const WINDOW_MS = 1000;
/** How many of the last lines are shown all the same, once the server has ended: they say why. */
const LAST_LINES = 10;
/** How much of a line is shown. */
const MAX_CHARACTERS = 1000;
/** How much of a line the remark quotes. */
const MAX_QUOTED = 120;

/** What a server's output is shown with. */
export interface ServerOutputOptions {
  /** Whose it is, as each line begins. */
  name: string;
  /** The same text without secrets: taken before a line is cut, so that none is shown in part. */
  redact: (text: string) => string;
  /** Shows a line, which is sanitized. */
  show: (line: string, output: WireOutput) => void;
  /** Says once that the server writes to its standard output what is no message. */
  remark: (line: string) => void;
  /** Default: the clock. */
  now?: () => number;
}

/**
 * Shows what the process of a server writes beside messages, as `name| line`. What comes too fast to be
 * read is left out, and counted.
 */
export function showServerOutput({
  name,
  redact,
  show,
  remark,
  now = Date.now,
}: ServerOutputOptions): WireObserver {
  let since = -Infinity;
  let shown = 0;
  let leftOut = 0;
  let last: WireOutput[] = [];
  let hasStrayed = false;

  const cut = (line: string, maxLength: number): string =>
    sanitizeLine(redact(sanitizeLine(line)), maxLength);
  const tell = (output: WireOutput): void => {
    const where = output.from === 'stdout' ? ' (stdout)' : '';
    show(`${name}${where}| ${cut(output.line, MAX_CHARACTERS)}`, output);
  };
  const tellLeftOut = (output: WireOutput): void => {
    const count = leftOut - last.length;
    if (count > 0) show(`${name}| (${count} lines left out, which came too fast)`, output);
    leftOut = 0;
  };
  const take = (output: WireOutput): void => {
    if (now() - since >= WINDOW_MS) {
      last = last.slice(-LAST_LINES);
      if (leftOut > 0) flush();
      since = now();
      shown = 0;
    }
    if (++shown <= MAX_LINES) return tell(output);
    leftOut++;
    last.push(output);
    // Not with every line: this is the path of a flood.
    if (last.length > 100 * LAST_LINES) last = last.slice(-LAST_LINES);
  };
  const flush = (): void => {
    last = last.slice(-LAST_LINES);
    const [first] = last;
    if (first !== undefined) tellLeftOut(first);
    for (const output of last) tell(output);
    last = [];
  };
  return (event: WireEvent) => {
    if (event.type === 'process' && event.phase === 'exited') flush();
    if (event.type !== 'output') return;
    if (event.from === 'stdout' && !hasStrayed) {
      hasStrayed = true;
      const quoted = cut(event.line, MAX_QUOTED);
      remark(
        `${name} wrote to its stdout what is no message (“${quoted}”): a server logs to its stderr.`,
      );
      return;
    }
    take(event);
  };
}
