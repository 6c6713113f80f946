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
