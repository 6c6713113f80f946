import type { JSONRPCRequest } from '@modelcontextprotocol/client';
import type { ChannelHandlers, ChannelOptions, Dialect, Resumption } from '../channels/channel.js';
import { Http } from '../channels/http.js';
import { place } from '../channels/place.js';
import { ConnectError, HttpStatusError, LongwireError } from '../errors.js';
import { shakeHands, type Connected } from './handshake.js';
import type { Target } from './target.js';
import { forgetVerdict, rememberedVerdict, rememberVerdict } from './verdicts.js';

/** What a dial needs. */
export interface DialOptions {
  target: Target;
  /** Speak this dialect and no other. */
  transport: Dialect | undefined;
  initialize: JSONRPCRequest;
  /** What the channel before this one left, if it can be gone on with. */
  resumption: Resumption | undefined;
  /** Told that it is gone on with, before anything of it is handed over. */
  onResumed: () => void;
  handlers: ChannelHandlers;
  channel: Partial<ChannelOptions>;
  /** For all candidates together. */
  connectMs: number;
  /** What one event of a stream may hold. */
  maxEventBytes: number;
  signal: AbortSignal;
}

/** Answers that say: no server of this kind here, look elsewhere. */
const ELSEWHERE: ReadonlySet<number> = new Set([400, 404, 405, 406, 415, 422, 500, 501]);

/**
 * Dials a target once: goes through its candidates until one shakes hands, within one deadline,
 * each with a share of what is left of it.
 *
 * @throws ConnectError that lists what was tried; the reason of `signal` if that ended it.
 */
export async function dial(options: DialOptions): Promise<Connected> {
  const { target } = options;
  const { urls, dialect } = candidatesOf(options);
  const deadline = performance.now() + options.connectMs;
  const tried: { url: string; outcome: string }[] = [];
  let lastError: LongwireError | undefined;

  for (const [index, url] of urls.entries()) {
    const shareMs = (deadline - performance.now()) / (urls.length - index);
    const attempt = withDeadline(options.signal, shareMs, url);
    const { authorization } = target;
    const http = new Http(options.channel, { connectMs: options.connectMs, authorization });
    try {
      const handshake = await shakeHands({
        http,
        url,
        dialect,
        initialize: options.initialize,
        resumption: options.resumption,
        onResumed: options.onResumed,
        maxEventBytes: options.maxEventBytes,
        handlers: options.handlers,
        signal: attempt.signal,
      });
      rememberVerdict(target.url, { dialect: handshake.channel.dialect, url });
      return handshake;
    } catch (cause) {
      await http.close();
      if (options.signal.aborted) throw options.signal.reason;
      // What ended the attempt says more than how the attempt noticed.
      const error = attempt.signal.aborted ? (attempt.signal.reason as LongwireError) : cause;
      if (!(error instanceof LongwireError)) throw error;
      // Of a server that was not reached there is nothing new to know.
      if (error.code !== 'connect-failed') forgetVerdict(target.url);
      tried.push({ url: place(url), outcome: error.summary });
      lastError = error;
      if (!mayBeElsewhere(error)) break;
    } finally {
      attempt.done();
    }
  }
  throw connectError(target, tried, lastError as LongwireError);
}

/** What is remembered is the only candidate; should it have become wrong, it is forgotten. */
function candidatesOf({ target, transport }: DialOptions): {
  urls: URL[];
  dialect: Dialect | undefined;
} {
  const known = rememberedVerdict(target.url);
  if (known === undefined || (transport ?? known.dialect) !== known.dialect) {
    return { urls: target.candidates, dialect: transport };
  }
  const url = new URL(known.url);
  url.search = target.url.search;
  return { urls: [url], dialect: known.dialect };
}

function mayBeElsewhere(error: LongwireError): boolean {
  if (error instanceof HttpStatusError) return ELSEWHERE.has(error.status);
  return error.code === 'not-mcp' || error.code === 'connect-timeout';
}

function connectError(
  target: Target,
  tried: { url: string; outcome: string }[],
  cause: LongwireError,
): ConnectError {
  const isElsewhere = cause instanceof HttpStatusError && ELSEWHERE.has(cause.status);
  const code = isElsewhere ? 'not-mcp' : cause.code;
  const what =
    tried.length === 1
      ? cause.summary
      : `tried ${tried.map(({ url, outcome }) => `${url} (${outcome})`).join(', then ')}`;
  const isSaid = tried.length === 1 && code === 'connect-failed';
  return new ConnectError(isSaid ? what : `could not connect to ${place(target.url)}: ${what}`, {
    code,
    hint: code === 'not-mcp' ? 'is this the address of an MCP server that speaks SSE?' : cause.hint,
    cause,
    tried,
  });
}

function withDeadline(
  outer: AbortSignal,
  ms: number,
  url: URL,
): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController();
  const follow = (): void => controller.abort(outer.reason);
  outer.addEventListener('abort', follow, { once: true });
  if (outer.aborted) follow();
  const timer = setTimeout(
    () =>
      controller.abort(
        new LongwireError(`no MCP server answered at ${place(url)} within ${Math.round(ms)} ms`, {
          code: 'connect-timeout',
          certainty: 'not-sent',
          hint: 'check the address, or raise timeouts.connectMs',
        }),
      ),
    Math.max(0, ms),
  );
  return {
    signal: controller.signal,
    done: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', follow);
    },
  };
}
