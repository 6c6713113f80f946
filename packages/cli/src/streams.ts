/** Where input comes from; a terminal has a raw mode. */
export type Input = NodeJS.ReadableStream & {
  isTTY?: boolean | undefined;
  setRawMode?: (raw: boolean) => unknown;
};

/** Where output goes; a terminal has columns and rows. */
export type Output = NodeJS.WritableStream & {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
  writableLength?: number;
};

/** How long the input must be quiet to count as empty, in milliseconds. */
const quietMs = 150;

/**
 * Discards what was typed or pasted so far; resolves when no more input arrives, or the signal is
 * aborted. The terminal stays in raw mode, so that no line is kept; the caller resets it.
 *
 * @throws an `ExitPromptError`, as the library for questions does, if the input contains Ctrl-C.
 */
export async function discardTyped(stdin: Input, signal: AbortSignal): Promise<void> {
  stdin.setRawMode?.(true);
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      stdin.off('data', discard);
      stdin.off('end', done);
      signal.removeEventListener('abort', done);
      stdin.pause();
    };
    const done = (): void => {
      stop();
      resolve();
    };
    const discard = (typed: string | Buffer): void => {
      timer.refresh();
      if (!String(typed).includes('\u0003')) return;
      stop();
      reject(Object.assign(new Error('interrupted'), { name: 'ExitPromptError' }));
    };
    const timer = setTimeout(done, quietMs);
    stdin.on('data', discard);
    stdin.once('end', done);
    signal.addEventListener('abort', done, { once: true });
    stdin.resume();
  });
}

/**
 * Resolves when everything that was written has been flushed, or cannot be. A failure was reported by
 * the stream's `error` event.
 */
export function flushed(stream: Output): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => void setImmediate(resolve);
    if (!stream.writable || stream.writableLength === 0) done();
    else stream.write('', done);
  });
}

/** Whether writing failed only because the reader of a pipe has closed it, as `| head` does. */
export function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}
