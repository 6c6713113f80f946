/** The error of work that an abort ended. */
export function interruption(message: string): Error {
  return new DOMException(message, 'AbortError');
}

/**
 * The result of the work, or a rejection soon after the signal is aborted, even if the work ignores
 * the signal. If the work itself settles at once, its outcome wins: it may know more.
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

/** Why a turn ends whose agent is closed: tasks of its calls go on. */
export class AgentClosed extends Error {
  override readonly name: string = 'AgentClosed';
}

/** Whether a turn ends because its agent is closed. */
export function isClosing({ reason }: AbortSignal): boolean {
  return reason instanceof AgentClosed;
}
