import { blocksOf, type UserBlock } from '@longwire/agent';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { formatSize } from '../save-media.js';

/** What is piped in and longer is refused: it would not be read whole. */
const maxBytes = 4 * 1024 * 1024;

/** A pipe that nobody writes to may stay open for ever. */
const maxQuietMs = 3000;

/**
 * What was piped in, to be sent with a question: text, an image, or a PDF. Empty at a terminal, and where
 * nothing comes.
 *
 * @throws LongwireError (usage) if it is too large.
 */
export async function readPiped(context: Context): Promise<UserBlock[]> {
  const { stdin, terminal, interruptions } = context;
  if (stdin.isTTY === true) return [];
  const bytes = await readAll(context);
  interruptions.signal.throwIfAborted();
  if (bytes === undefined) {
    terminal.remark(
      `Nothing came on stdin for ${maxQuietMs / 1000} s: the question goes without it (</dev/null does not wait).`,
    );
    return [];
  }
  if (bytes.length === 0) return [];
  const blocks = blocksOf([
    { type: 'resource', resource: { uri: 'stdin', blob: bytes.toString('base64') } },
  ]);
  terminal.remark(`What came on stdin goes with the question: ${formatSize(bytes.length)}.`);
  return blocks;
}

/** All bytes; `undefined` if the first does not come in time, and nothing ends. */
function readAll({ stdin, interruptions: { signal } }: Context): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    const settle = (bytes: Buffer | undefined, error?: unknown): void => {
      clearTimeout(timer);
      stdin.off('data', take).off('end', end).off('error', fail);
      signal.removeEventListener('abort', end);
      stdin.pause();
      if (error === undefined) resolve(bytes);
      else reject(error);
    };
    const end = (): void => settle(Buffer.concat(chunks));
    const fail = (error: unknown): void => settle(undefined, error);
    const take = (chunk: Buffer | string): void => {
      clearTimeout(timer);
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      chunks.push(bytes);
      if (length > maxBytes) {
        fail(usageError(`more than ${formatSize(maxBytes)} came on stdin: give Claude less`));
      }
    };
    const timer = setTimeout(() => settle(undefined), maxQuietMs);
    if (!stdin.readable || signal.aborted) return end();
    stdin.on('data', take).once('end', end).once('error', fail);
    signal.addEventListener('abort', end, { once: true });
    stdin.resume();
  });
}
