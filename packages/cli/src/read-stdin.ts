import { usageError } from './command-error.js';
import type { Context } from './context.js';

/**
 * What comes on stdin, if an argument is to be read from it: `name=@-`, or `json` (of `--args`) `-` or
 * `@-`. Read before anything is sent.
 *
 * @throws LongwireError (usage) where two of them want it.
 */
export async function readStdin(
  context: Context,
  { words, json }: { words: readonly string[]; json?: string | undefined },
): Promise<Buffer | undefined> {
  const wanting = words.filter((word) => /^[^=]+=@-$/.test(word));
  if (json === '-' || json === '@-') wanting.push('--args -');
  if (wanting.length === 0) return undefined;
  if (context.connected !== undefined) {
    throw usageError(`${wanting.join(' and ')}: stdin is the session's own; use a file`);
  }
  if (wanting.length > 1) {
    throw usageError(`stdin can be read once, and ${wanting.join(' and ')} want it: use a file`);
  }
  const { stdin, terminal, interruptions } = context;
  const { signal } = interruptions;
  if (stdin.isTTY === true) terminal.remark('Reading from the terminal; Ctrl-D ends it.');
  const chunks: Buffer[] = [];
  return await new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      stdin.off('data', take).off('end', settle).off('error', settle);
      signal.removeEventListener('abort', stop);
      stdin.pause();
      if (error === undefined) resolve(Buffer.concat(chunks));
      else reject(error);
    };
    const take = (chunk: Buffer | string): void => void chunks.push(Buffer.from(chunk));
    const stop = (): void => settle(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    stdin.on('data', take).once('end', settle).once('error', settle);
  });
}
