import type { LongwireClient, Middleware, WireEvent, WireObserver } from '@longwire/client';

/** Sees what passes between the command and its servers. */
export interface Trace {
  /** Whether it is shown as it happens, and not written to a file. */
  readonly isShown: boolean;
  /** Sees a server: the first of the middlewares of its client, and its observer. */
  server(name: string): TracedServer;
  /** Fulfilled when everything is written. */
  close(): Promise<void>;
}

/** How one server is seen. */
export interface TracedServer {
  readonly middleware: Middleware;
  readonly observe: WireObserver;
  /** Sees its client, too. */
  watch(client: LongwireClient): void;
}

/** One observer for several; `undefined` for none. */
export function together(
  observers: readonly (WireObserver | undefined)[],
): WireObserver | undefined {
  const given = observers.filter((observe) => observe !== undefined);
  if (given.length <= 1) return given[0];
  return (event: WireEvent) => {
    for (const observe of given) observe(event);
  };
}
