import type { FastifyInstance } from 'fastify';
import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { StopOptions } from './options.js';

/** What a server is, for whoever stops it. */
export interface Stoppable {
  /** Readiness fails from now on. */
  setReady(isReady: false): void;
  /** New sessions are refused, with 503 and `Retry-After`. Requests of open ones are still taken. */
  refuseNewSessions(): void;
  /**
   * Ends every event stream: at once, or, where a call is still answered on it, as soon as none is. Streams
   * have said `retry:` when they began.
   */
  endStreams(): void;
  /** How many requests are not answered. */
  callsInFlight(): number;
  /** Fulfilled when none is in flight, or the signal is aborted. */
  whenIdle(signal: AbortSignal): Promise<void>;
  /** Ends the streams of pages that show it: they have no last answer to wait for. */
  endPages(): Promise<void>;
  /** Cancels what is in flight, and answers it with an error. */
  cancelAll(): void;
  /** Closes the application and whatever it has open. */
  closeApp(): Promise<void>;
}

/** What a {@link Stopper} is made with. */
export interface StopperOptions extends Required<StopOptions> {
  /** The application, before it has any routes. */
  readonly app: FastifyInstance;
}

/** What one stop does otherwise. */
export type StopNow = Pick<StopOptions, 'delayMs'>;

/**
 * How long the port stays open at most until a moment comes in which nobody waits to be taken. The kernel
 * resets connections that wait when a port closes, and whoever sent a request on one cannot know that it
 * did not run.
 */
const QUEUE_MS = 1_000;
/** In a turn of the event loop that is as quick as this, hardly anybody comes unseen. */
const QUICK_TURN_MS = 1;
/**
 * How long connections that are kept alive may still bring requests after the port is closed. A request
 * that is on its way when its connection is closed would be lost.
 */
const LAST_REQUESTS_MS = 1_000;
/** How long the last answers may take to reach their readers. */
const FLUSH_MS = 5_000;
/** How often connections without a request are closed while the last answers leave. */
const SWEEP_MS = 50;

/**
 * Stops a server without losing a call:
 *
 * 1. Readiness fails. For `delayMs` everything else goes on, because load balancers learn of it late.
 * 2. Every answer says `Connection: close`, new sessions are refused. The port closes, once who waits for it is
 *    taken. Once the last requests
 *    have come, each stream ends as soon as nothing is answered on it.
 * 3. Calls in flight have `graceMs` to end; then they are cancelled.
 * 4. Once the last answers have left, the application closes.
 */
export class Stopper {
  readonly #target: Stoppable;
  readonly #options: StopperOptions;
  readonly #hurry = new AbortController();
  #stopping: Promise<void> | undefined;
  #isDraining = false;

  constructor(target: Stoppable, options: StopperOptions) {
    this.#target = target;
    this.#options = options;
    // For requests that came before: an answer is made later.
    options.app.addHook('onSend', (request, reply, payload, done) => {
      if (this.#isDraining && request.raw.httpVersionMajor < 2) reply.header('connection', 'close');
      done(null, payload);
    });
  }

  /** Stops; fulfilled when all is closed. A repeated call waits for the first one. */
  stop(now: StopNow = {}): Promise<void> {
    this.#stopping ??= this.#stop(now.delayMs ?? this.#options.delayMs);
    return this.#stopping;
  }

  /** Stops at once: calls in flight are cancelled, connections are cut. */
  stopAtOnce(): Promise<void> {
    this.#hurry.abort();
    return this.stop();
  }

  async #stop(delayMs: number): Promise<void> {
    const { app, graceMs } = this.#options;
    const { log } = app;
    const target = this.#target;
    const { signal } = this.#hurry;
    target.setReady(false);
    log.info({ delayMs, callsInFlight: target.callsInFlight() }, 'the server stops');
    await waitAtMost(delayMs, signal);

    target.refuseNewSessions();
    this.#beginDraining();
    await this.#takeQueued(signal);
    const closed = this.#closePort();
    const grace = AbortSignal.any([signal, AbortSignal.timeout(graceMs)]);
    await waitAtMost(LAST_REQUESTS_MS, grace, closed);
    // Not before: the answer to a request that is on its way needs its stream.
    target.endStreams();
    await target.whenIdle(grace);

    const left = target.callsInFlight();
    if (left > 0) {
      log.warn({ callsInFlight: left, graceMs }, 'calls are cancelled because the server stops');
      target.cancelAll();
    }
    await target.endPages();
    await this.#flush(closed);
    await target.closeApp();
    log.info('the server has stopped');
  }

  /** Node can close connections without a request; an HTTP/2 server, which Fastify closes, has none. */
  get #http1(): Server | undefined {
    const { server } = this.#options.app;
    return server.listening && 'closeIdleConnections' in server ? server : undefined;
  }

  #beginDraining(): void {
    this.#isDraining = true;
    // For requests that are still to come, whatever route or hook answers them.
    this.#http1?.prependListener('request', (_request, response) => {
      response.setHeader('connection', 'close');
    });
  }

  /** Takes the connections that wait at the port: Node takes one in each turn of the event loop. */
  async #takeQueued(signal: AbortSignal): Promise<void> {
    const server = this.#http1;
    if (server === undefined) return;
    let isQuiet = false;
    const onConnection = (): void => {
      isQuiet = false;
    };
    server.on('connection', onConnection);
    const endsAt = performance.now() + QUEUE_MS;
    do {
      // What is left of a turn shows nothing.
      await nextTurn();
      const beganAt = performance.now();
      isQuiet = true;
      await nextTurn();
      if (performance.now() - beganAt > QUICK_TURN_MS) isQuiet = false;
    } while (!isQuiet && performance.now() < endsAt && !signal.aborted);
    server.off('connection', onConnection);
  }

  /**
   * Closes the port and keeps connections, each until its next answer.
   *
   * @returns a promise that is fulfilled when no connection is left.
   */
  async #closePort(): Promise<void> {
    const server = this.#http1;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => {
      server.once('close', resolve);
    });
    // That of `http.Server` also cuts connections whose next request may be on its way.
    NetServer.prototype.close.call(server);
    await closed;
  }

  /** Waits until the last answers have left, or cuts their connections. */
  async #flush(closed: Promise<void>): Promise<void> {
    const { server } = this.#options.app;
    const sweep = (): void => server.closeIdleConnections?.();
    sweep();
    const sweeping = setInterval(sweep, SWEEP_MS);
    await waitAtMost(FLUSH_MS, this.#hurry.signal, closed);
    clearInterval(sweeping);
    server.closeAllConnections?.();
  }
}

/** Waits so long at most: less where the signal is aborted, or what it waits for comes. */
async function waitAtMost(ms: number, signal: AbortSignal, awaited?: Promise<void>): Promise<void> {
  const enough = new AbortController();
  const pause = sleep(ms, undefined, { signal: AbortSignal.any([signal, enough.signal]) });
  await Promise.race([pause.catch(() => {}), ...(awaited === undefined ? [] : [awaited])]);
  enough.abort();
}
