import type { FastifyBaseLogger } from 'fastify';
import type { ServableServer } from '../options.js';

/** How long a server may be waited for. */
export interface MakeServerOptions {
  /** Aborted when nobody waits for the server any more. */
  readonly signal: AbortSignal;
  /** `createTimeoutMs`. */
  readonly timeoutMs: number;
  readonly log: Pick<FastifyBaseLogger, 'debug'>;
}

/**
 * Makes a server. One that comes after its time, or when nobody waits for it any more, is closed as soon
 * as it is made.
 *
 * @throws what `make` throws; Error if the signal is aborted or the time is over first.
 */
export async function makeServer(
  make: () => ServableServer | Promise<ServableServer>,
  { signal, timeoutMs, log }: MakeServerOptions,
): Promise<ServableServer> {
  const making = (async () => make())();
  let isLate = false;
  let cleanUp = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    const fail = (why: string): void => {
      isLate = true;
      reject(new Error(why));
    };
    const leave = (): void => fail('nobody waits for the server');
    const expire = (): void => fail(`create took over ${timeoutMs} ms (createTimeoutMs)`);
    const timer = timeoutMs === Infinity ? undefined : setTimeout(expire, timeoutMs).unref();
    cleanUp = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([making, late]);
  } catch (error) {
    if (isLate) {
      making
        .then((server) => server.close())
        .catch((failure: unknown) => log.debug(failure, 'a server that came too late failed'));
    }
    throw error;
  } finally {
    cleanUp();
  }
}
