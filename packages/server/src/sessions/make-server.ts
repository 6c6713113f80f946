import type { FastifyBaseLogger } from 'fastify';
import type { ServableServer } from '../options.js';

/**
 * Makes a server. If the signal is aborted first, the server is closed as soon as it is made.
 *
 * @throws what `make` throws, or the signal's reason if that comes first.
 */
export async function makeServer(
  make: () => ServableServer | Promise<ServableServer>,
  signal: AbortSignal,
  log: FastifyBaseLogger,
): Promise<ServableServer> {
  const making = (async () => make())();
  const unwanted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([making, unwanted]);
  } catch (error) {
    if (signal.aborted) {
      making
        .then((server) => server.close())
        .catch((late: unknown) => log.debug(late, 'a server that came too late failed'));
    }
    throw error;
  }
}
