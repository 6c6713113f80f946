/** Where input comes from; a terminal has a raw mode. */
export type Input = NodeJS.ReadableStream & {
  isTTY?: boolean | undefined;
  setRawMode?: (raw: boolean) => unknown;
};

/** Where output goes; a terminal has columns. */
export type Output = NodeJS.WritableStream & {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  writableLength?: number;
};

/** For how long nothing may come until all that was typed has come, in milliseconds. */
const quietMs = 150;

/**
 * Throws away what was typed or pasted so far, also what is still on its way; resolves once nothing
 * more comes, or the signal is aborted. The terminal stays raw, so that nothing is kept as a line;
 * it is the caller's to end that.
 *
 * @throws an `ExitPromptError`, as the library for questions does, if Ctrl-C is among it.
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
 * Resolves once everything written has been handed to the system, or cannot be any more; what
 * failed has been told by the stream's `error` event then.
 */
export function flushed(stream: Output): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => void setImmediate(resolve);
    if (!stream.writable || stream.writableLength === 0) done();
    else stream.write('', done);
  });
}

/** Whether writing failed only because the reader of a pipe has left, as `| head` does. */
export function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}
