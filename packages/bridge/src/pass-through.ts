import { createTransport, type ConnectionOptions, type TargetOption } from '@longwire/client';
import type { ServerFactory } from '@longwire/server';
import { PassThroughServer } from './pass-through-server.js';

/** How the server behind a gateway is reached; see the options of a client. */
export interface PassThroughOptions extends ConnectionOptions {
  /**
   * Called with what goes wrong and belongs to no request, and with why a server has ended. It may hold
   * what is secret: whoever shows it has to redact it. Default: nobody is told.
   */
  onError?: (error: Error) => void;
}

/**
 * Makes the factory of a gateway: what it makes for a session passes every message on, as it is and both
 * ways, to a server of that session alone. A command is started for each session, and ends with it; at a
 * URL each session has one there, over whichever transport that speaks.
 *
 * ```ts
 * await serve({ create: passThrough({ command: 'npx', args: ['-y', 'some-server'] }) });
 * ```
 *
 * A request that the server did not answer is answered with an error that has the `certainty` in its data.
 * A command that ends by itself ends its session: what it knew is lost. A connection that is lost comes
 * back underneath, and what is safe is sent again.
 *
 * It serves sessions. A client that speaks 2026-07-28 and sessions is told so, and opens one.
 *
 * @throws TypeError for a target or an option that is wrong.
 */
export function passThrough(target: TargetOption, options: PassThroughOptions = {}): ServerFactory {
  const { onError, ...connection } = options;
  const isProcess = typeof target === 'object' && 'command' in target;
  // Another process knows nothing of the one before: it is not started again underneath.
  const own = isProcess
    ? { ...connection, retry: { ...connection.retry, maxAttempts: 0 } }
    : connection;
  // What is wrong is said now, and not with the first session.
  createTransport(target, own);
  return () => new PassThroughServer(createTransport(target, own), { isProcess, onError });
}
