import { AsyncResource } from 'node:async_hooks';
import type { Progress, Result } from '@modelcontextprotocol/client';
import { CheckedHeaders } from '../channels/checked-headers.js';
import type { HeaderRecord } from '../channels/headers.js';
import { within } from '../channels/within.js';
import { LongwireError } from '../errors.js';
import type { KnownSecrets } from '../secrets/known-secrets.js';
import type { Introduction } from '../target/eras.js';
import type { Connected } from '../target/handshake.js';
import type { CallMark } from './call-mark.js';
import { closedError } from './failures.js';
import type { LedgerRequest } from './ledger.js';
import type { McpRequest, McpResponse, Middleware, Next } from './middleware.js';

/** Who carries a request on when it has passed every middleware. */
export interface OnionSender {
  send(request: LedgerRequest, mark: CallMark): Promise<Result>;
  /** Settles a request under way with an error, and tells the server. */
  giveUp(mark: CallMark, error: LongwireError): void;
}

/** All middlewares of a connection, one around the other, and every request that is among them. */
export class Onion {
  readonly #middleware: readonly Middleware[];
  readonly #among = new Set<Passing>();
  readonly #checked = new CheckedHeaders();
  readonly #whose: Whose;

  constructor(middleware: readonly Middleware[], whose: Whose) {
    this.#middleware = middleware;
    this.#whose = whose;
  }

  /**
   * Leads a request through, from the first to the last, and the response back.
   *
   * @throws LongwireError
   */
  lead(request: LedgerRequest, mark: CallMark, sender: OnionSender): Promise<Result> {
    if (mark.abandoned !== undefined) return Promise.reject(mark.abandoned);
    return new Promise((resolve, reject) => {
      const passing = new Passing(request, mark, {
        sender,
        checked: this.#checked,
        whose: this.#whose,
        onStopped: reject,
      });
      this.#among.add(passing);
      const turn: Turn = { outer: undefined, isOver: false };
      const over = (): void => {
        turn.isOver = true;
        this.#among.delete(passing);
        passing.release();
      };
      this.#enter(passing, 0, turn).then(
        (response) => {
          over();
          try {
            resolve(checkResponse(response, passing).result);
          } catch (error) {
            reject(error);
          }
        },
        (error: unknown) => {
          over();
          reject(asLongwireError(error, request.method, mark));
        },
      );
    });
  }

  /** Tells whoever wants to know. */
  toolsChanged(report: (error: Error) => void): void {
    for (const middleware of this.#middleware) {
      try {
        middleware.onToolsChanged?.(this.#whose.client);
      } catch (error) {
        report(error as Error);
      }
    }
  }

  /** Fails every request that is among the middlewares. */
  close(reason?: LongwireError): void {
    for (const passing of this.#among) {
      passing.stop(reason ?? closedError(passing.mark.certainty));
    }
    this.#among.clear();
  }

  /** This is the path of every call: one promise a middleware beside its own. */
  #enter(passing: Passing, index: number, turn: Turn): Promise<McpResponse> {
    const middleware = this.#middleware[index];
    if (middleware === undefined) return passing.leave();
    let inner: Turn | undefined;
    const came = (response: McpResponse): McpResponse => {
      end();
      return checkResponse(response, passing);
    };
    const failed = (error: unknown): never => {
      end();
      throw error;
    };
    const end = (): void => {
      if (inner !== undefined) inner.isOver = true;
      inner = undefined;
    };
    return call(middleware, passing, () => {
      if (passing.stopped !== undefined) return Promise.reject(passing.stopped);
      if (isOver(turn)) return Promise.reject(TOO_LATE);
      if (inner !== undefined) {
        return Promise.reject(misused('called next() while it was under way', passing));
      }
      inner = { outer: turn, isOver: false };
      return this.#enter(passing, index + 1, inner).then(came, failed);
    });
  }
}

/**
 * One time that a middleware is entered. When it has settled, what is further in must not send any
 * more: the one around it has said what is certain of the request.
 */
interface Turn {
  readonly outer: Turn | undefined;
  isOver: boolean;
}

function isOver(turn: Turn): boolean {
  return turn.isOver || (turn.outer !== undefined && isOver(turn.outer));
}

/** Nobody waits for it any more. */
const TOO_LATE: LongwireError = new LongwireError('the call had ended before it was sent', {
  code: 'aborted',
  certainty: 'not-sent',
});

/** How a handshake is made that has passed the middlewares. */
export interface HandshakeSender {
  /** Its headers go with all that is sent by the line. */
  open: (headers: HeaderRecord | undefined) => Promise<Connected>;
  /** How long all of it may take, in milliseconds. */
  limitMs: number;
}

/**
 * Leads a handshake through the middlewares; it is made as often as the last of them goes on.
 *
 * @throws LongwireError
 */
export async function leadHandshake(
  onion: Onion,
  { discover, initialize }: Introduction,
  { open, limitMs }: HandshakeSender,
): Promise<Connected> {
  const { method, params } = discover ?? initialize;
  const mark: CallMark = { certainty: 'not-sent', internal: true };
  let connected: Connected | undefined;
  const led = onion.lead(params === undefined ? { method } : { method, params }, mark, {
    send: async (_request, { headers }) => {
      // One that succeeded is not made again: it would be another line.
      connected ??= await open(headers);
      const { answer } = connected;
      return answer !== undefined && 'result' in answer ? answer.result : {};
    },
    giveUp: () => {},
  });
  const late = (): LongwireError =>
    new LongwireError(`the middlewares held up the handshake for more than ${limitMs} ms`, {
      code: 'connect-timeout',
      certainty: 'not-sent',
      hint: 'let it go on sooner, or raise timeouts.connectMs',
    });
  await within(limitMs, led, late);
  if (connected !== undefined) return connected;
  throw new LongwireError('a middleware answered the handshake itself, and nobody is connected', {
    code: 'config',
    certainty: 'not-sent',
    hint: 'call next() for what is internal',
  });
}

/** Whose requests they are, and where they go. */
export interface Whose extends Pick<McpRequest, 'client' | 'origin'> {
  /** What must not be told of them. */
  secrets: KnownSecrets;
}

/** What a request is led with. */
interface PassingOptions {
  sender: OnionSender;
  checked: CheckedHeaders;
  whose: Whose;
  onStopped: (error: LongwireError) => void;
}

/** A request among the middlewares. */
class Passing implements McpRequest {
  readonly method: string;
  params: Record<string, unknown> | undefined;
  readonly headers: Record<string, string>;
  idempotent: boolean;
  readonly internal: boolean;
  readonly metadata: Record<string, unknown> = {};
  readonly client: object;
  readonly origin: string | undefined;
  /** Why nothing may come of it any more. */
  stopped: LongwireError | undefined;
  readonly mark: CallMark;
  readonly #before: Pick<CallMark, 'headers' | 'idempotent' | 'onSent' | 'onProgress'>;
  readonly #checked: CheckedHeaders;
  readonly #sender: OnionSender;
  readonly #secrets: KnownSecrets;
  readonly #onStopped: (error: LongwireError) => void;
  #stopping: AbortController | undefined;
  #onSent: (() => void) | undefined;
  #onProgress: ((progress: Progress) => void) | undefined;
  /** The context of the middlewares, once one of them is to be told something. */
  #scope: AsyncResource | undefined;

  constructor(
    { method, params }: LedgerRequest,
    mark: CallMark,
    { sender, checked, whose, onStopped }: PassingOptions,
  ) {
    this.client = whose.client;
    this.origin = whose.origin;
    this.#secrets = whose.secrets;
    this.#checked = checked;
    this.method = method;
    this.params = params;
    this.mark = mark;
    this.headers = { ...mark.headers };
    this.idempotent = mark.idempotent ?? false;
    this.internal = mark.internal ?? false;
    this.#sender = sender;
    this.#onStopped = onStopped;
    mark.stop = (error) => this.stop(error);
    const { headers, idempotent } = mark;
    this.#before = { headers, idempotent };
    // What the maker of the call wants to know comes last: it is outside of everybody.
    this.#onSent = mark.onSent?.bind(mark);
    this.#onProgress = mark.onProgress?.bind(mark);
    mark.onSent = () => {
      if (this.#onSent !== undefined) this.#inScope(this.#onSent);
    };
    if (this.#onProgress !== undefined) {
      mark.onProgress = (progress) => this.#inScope(() => this.#onProgress?.(progress));
    }
  }

  get onSent(): (() => void) | undefined {
    return this.#onSent;
  }

  set onSent(onSent: (() => void) | undefined) {
    this.#keepScope();
    this.#onSent = onSent;
  }

  get onProgress(): ((progress: Progress) => void) | undefined {
    return this.#onProgress;
  }

  set onProgress(onProgress: ((progress: Progress) => void) | undefined) {
    this.#keepScope();
    this.#onProgress = onProgress;
  }

  #keepScope(): void {
    this.#scope ??= new AsyncResource('longwire.request');
  }

  /** Whoever sends a request, or brings what comes of it, may be in the context of another. */
  #inScope(run: () => void): void {
    if (this.#scope === undefined) run();
    else this.#scope.runInAsyncScope(run);
  }

  /** Made when somebody asks for it: on most requests nobody does. */
  get signal(): AbortSignal {
    if (this.#stopping === undefined) {
      this.#stopping = new AbortController();
      this.#keepScope();
      if (this.stopped !== undefined) this.#stopping.abort(this.stopped);
    }
    return this.#stopping.signal;
  }

  redact(text: string): string {
    return this.#secrets.mask(text);
  }

  abort(error: LongwireError): void {
    this.#sender.giveUp(this.mark, error);
  }

  /** The call has ended: whoever waits among the middlewares waits in vain. */
  stop(error: LongwireError): void {
    if (this.stopped !== undefined) return;
    this.stopped = error;
    if (this.#stopping !== undefined) this.#inScope(() => this.#stopping?.abort(error));
    this.#onStopped(error);
  }

  /** The call has settled: whoever still waits among the middlewares need not. */
  release(): void {
    this.stopped ??= TOO_LATE;
    if (this.#stopping !== undefined) this.#inScope(() => this.#stopping?.abort(this.stopped));
    // The next request of the same call, of its next page, say, begins as this one did.
    Object.assign(this.mark, this.#before);
  }

  /** Goes on to the server. */
  leave(): Promise<McpResponse> {
    if (this.stopped !== undefined) return Promise.reject(this.stopped);
    const { method, params, mark } = this;
    try {
      mark.headers = this.#checked.of(this.headers);
    } catch (error) {
      return Promise.reject(error as TypeError);
    }
    mark.idempotent = this.idempotent;
    const request = params === undefined ? { method } : { method, params };
    return this.#sender.send(request, mark).then((result) => ({ result, metadata: {} }));
  }
}

/** A middleware need not be an async function to be one that throws. */
function call(middleware: Middleware, request: McpRequest, next: Next): Promise<McpResponse> {
  try {
    return Promise.resolve(middleware(request, next));
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

function checkResponse(response: McpResponse, passing: Passing): McpResponse {
  const { result } = ((response as unknown) ?? {}) as { result?: unknown };
  if (typeof result === 'object' && result !== null) return response;
  throw misused('answered with something that has no result', passing);
}

function misused(how: string, { method, mark }: Passing): LongwireError {
  return new LongwireError(`a middleware ${how}, during ${method}`, {
    code: 'config',
    certainty: mark.certainty,
  });
}

function asLongwireError(error: unknown, method: string, mark: CallMark): LongwireError {
  if (error instanceof LongwireError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new LongwireError(`a middleware failed during ${method}: ${reason}`, {
    code: 'config',
    certainty: mark.certainty,
    cause: error,
  });
}
