import { passThrough, type PassThroughOptions } from '@longwire/bridge';
import { LongwireError, type ClientOptions, type ConnectionOptions } from '@longwire/client';
import { serve, type KitObserver, type Serving } from '@longwire/server';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { portError } from '../ports.js';
import { sanitizeLine } from '../sanitize.js';
import { serverOptions } from '../target-client.js';
import type { Server } from '../target.js';
import { createFailureLines } from './failures.js';
import type { Settings } from './settings.js';

/**
 * Serves a server on HTTP.
 *
 * @throws LongwireError (usage) if the port is not free.
 */
export async function serveGateway(
  context: Context,
  server: Server,
  settings: Settings,
): Promise<Serving> {
  const { terminal, redactor } = context;
  const failed = createFailureLines((line) => terminal.remark(line));
  const onError = (error: Error): void => {
    const { message } = error instanceof LongwireError ? { message: error.summary } : error;
    failed(redactor.message(sanitizeLine(message)));
  };
  const options = connectionOptions(await serverOptions(context, server), onError);
  try {
    return await serve({
      create: passThrough(server.target, options),
      observers: [detailsOf(context)],
      ...settings,
    });
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException;
    if (syscall === 'getaddrinfo' || code === 'EADDRNOTAVAIL') {
      const why = 'it is no address of this machine';
      throw usageError(`--host ${settings.host} cannot be listened on: ${why}`, { cause: error });
    }
    if (syscall === 'listen') throw portError(settings.port, error);
    throw error;
  }
}

/** Of the options of a client, those of its connection: the client is somebody else's. */
function connectionOptions(
  { headers, auth, limits, cookies, proxy, tls, retry, ...more }: ClientOptions,
  onError: (error: Error) => void,
): PassThroughOptions {
  const { heartbeat, middleware, observe, transport, protocol, timeouts } = more;
  const own: { [Name in keyof ConnectionOptions]?: ConnectionOptions[Name] | undefined } = {
    headers,
    auth,
    limits,
    cookies,
    proxy,
    tls,
    retry,
    heartbeat,
    middleware,
    observe,
    transport,
    protocol,
    ...(timeouts?.connectMs !== undefined && { timeouts: { connectMs: timeouts.connectMs } }),
  };
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(given) as ConnectionOptions), onError };
}

function detailsOf({ terminal }: Context): KitObserver {
  return {
    sessionOpened: ({ principal, transport }) =>
      terminal.detail(`  a session of ${sanitizeLine(principal)} begins, over ${transport}`),
    sessionEnded: ({ principal }, { reason }) =>
      terminal.detail(`  a session of ${sanitizeLine(principal)} has ended: ${reason}`),
    requestRefused: ({ message }) => terminal.detail(`  a request is refused: ${message}`),
  };
}
