/** The error of what an abort cut short. */
export function interruption(message: string): Error {
  return new DOMException(message, 'AbortError');
}

/**
 * What the work gives, or a rejection soon after the signal is aborted, whether or not the work
 * listens to it. The work's own answer to the abort wins if it comes at once: it may know more.
 */
export function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      setImmediate(() => reject(interruption('The turn was aborted.')));
    };
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
