import type { StopNow } from './stop.js';

/** What stops when a signal comes: a server that is served, or a `Stopper`. */
export interface StoppedBySignals {
  stop(now?: StopNow): Promise<void>;
  stopAtOnce(): Promise<void>;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Stops a server on SIGTERM and SIGINT:
 *
 * - SIGTERM stops it gracefully. So does SIGINT, but without `delayMs`: a person waits for it, and no
 *   load balancer.
 * - Once it has stopped, the process ends by itself with code 0, unless the program has something else
 *   open, which it closes after `stopped`.
 * - A second signal ends it at once: calls are cancelled, and the signal ends the process, as it does
 *   without handlers.
 *
 * @returns what removes the handlers, and is fulfilled when a signal has stopped the server.
 */
export function installSignalHandlers(server: StoppedBySignals): {
  readonly stopped: Promise<void>;
  remove(): void;
} {
  let isStopping = false;
  let settle: { resolve: () => void; reject: (error: unknown) => void };
  const stopped = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Whoever does not wait for it still sees the process fail, by its exit code.
  stopped.catch(() => {});
  const remove = (): void => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  const onSignal = (name: NodeJS.Signals): void => {
    if (isStopping) {
      remove();
      const end = (): boolean => process.kill(process.pid, name);
      server.stopAtOnce().then(end, end);
      return;
    }
    isStopping = true;
    server.stop(name === 'SIGINT' ? { delayMs: 0 } : {}).then(
      () => {
        remove();
        settle.resolve();
      },
      (error: unknown) => {
        remove();
        process.exitCode = 1;
        settle.reject(error);
      },
    );
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return { stopped, remove };
}
