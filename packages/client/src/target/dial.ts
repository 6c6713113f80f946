import type { AsyncResource } from 'node:async_hooks';
import type { ChannelHandlers, ChannelOptions, Dialect, Resumption } from '../channels/channel.js';
import { Http } from '../channels/http.js';
import type { HeaderRecord } from '../channels/headers.js';
import type { JsonBounds } from '../channels/json.js';
import { place } from '../channels/place.js';
import { StreamableResumption } from '../channels/streamable-session.js';
import type { TrafficCounts } from '../channels/traffic-counts.js';
import { ConnectError, HttpStatusError, LongwireError, type Tried } from '../errors.js';
import type { KnownSecrets } from '../secrets/known-secrets.js';
import type { Introduction } from './eras.js';
import { shakeHands, type Connected } from './handshake.js';
import { shakeHandsWithin } from './process-handshake.js';
import { stepsFor, type Step } from './steps.js';
import { goOnByPost, shakeHandsByPost } from './streamable-handshake.js';
import type { Target, UrlTarget } from './target.js';
import { forgetVerdict, rememberedVerdict, rememberVerdict } from './verdicts.js';

/** What a dial needs. */
export interface DialOptions {
  target: Target;
  /** Speak this dialect and no other. */
  transport: Dialect | undefined;
  introduction: Introduction;
  /** What the channel before this one left, if it can be gone on with. */
  resumption: Resumption | undefined;
  /** Told that it is gone on with, before anything of it is handed over. */
  onResumed: () => void;
  handlers: ChannelHandlers;
  channel: Partial<ChannelOptions>;
  /** For all that is tried together. */
  connectMs: number;
  /** What one event of a stream may hold. */
  maxEventBytes: number;
  /** What one message may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds | undefined;
  /** For how long a stream may be silent that is there for what the server says unasked; 0: ever. */
  hearingMs: number;
  /** The async context in which the program's functions are run for what belongs to no call. */
  scope: AsyncResource;
  /** What goes with all that belongs to no call, over the program's headers. */
  headersOfAll: () => HeaderRecord | undefined;
  /** Where all that goes over the wire is counted. */
  counts: TrafficCounts;
  /** Told what is sent and must not be told. Default: nobody is. */
  secrets?: KnownSecrets | undefined;
  signal: AbortSignal;
}

/** Answers that say: no server of this kind here, look elsewhere. */
const ELSEWHERE: ReadonlySet<number> = new Set([
  301, 302, 303, 400, 404, 405, 406, 415, 422, 500, 501,
]);

/**
 * Dials a target once, within one deadline.
 *
 * @throws ConnectError that lists what was tried; the reason of `signal` if that ended it.
 */
export async function dial(options: DialOptions): Promise<Connected> {
  const { target } = options;
  if (target.kind === 'url') return dialUrl(options, target);
  const attempt = withDeadline(options.signal, options.connectMs, target.name);
  try {
    return await shakeHandsWithin({ ...options, target, signal: attempt.signal });
  } catch (cause) {
    throw options.signal.aborted ? options.signal.reason : connectError(target, [], said(cause));
  } finally {
    attempt.done();
  }
}

/** Asks one question after the other until hands are shaken, each with a share of what time is left. */
async function dialUrl(options: DialOptions, target: UrlTarget): Promise<Connected> {
  const { connectMs, transport, introduction } = options;
  const steps = stepsFor(target, rememberedVerdict(target.url), { transport, introduction });
  const deadline = performance.now() + connectMs;
  const tried: Tried[] = [];
  const errors: LongwireError[] = [];
  let http: Http | undefined;
  let attempt: Deadline | undefined;
  const channel = toldOfChallenges(options.channel, () => attempt?.extend(deadline));

  if (options.resumption instanceof StreamableResumption) {
    const session = await goOn(options, target, options.resumption);
    if (session !== undefined) return session;
  }
  for (const [index, step] of steps.entries()) {
    const shareMs = (deadline - performance.now()) / (steps.length - index);
    attempt = withDeadline(options.signal, shareMs, place(step.url));
    http ??= new Http(channel, { ...options, authorization: target.authorization });
    try {
      const connected = await ask(step, { ...options, http, signal: attempt.signal });
      const { dialect } = connected.channel;
      const by = connected.channel.era === 'modern' ? 'discover' : step.by;
      rememberVerdict(target.url, { dialect, by, url: step.url });
      tried.push({ url: place(step.url), outcome: `${asked(step)} was answered: ${dialect}` });
      return { ...connected, tried };
    } catch (cause) {
      if (options.signal.aborted) {
        await http.close();
        throw options.signal.reason;
      }
      const error = said(cause, attempt.signal);
      // Of a server that was not reached there is nothing new to know.
      if (error.code !== 'connect-failed') forgetVerdict(target.url);
      tried.push({ url: place(step.url), outcome: error.summary });
      errors.push(error);
      // A challenge is answered, or nothing more is asked.
      const isUnmet = attempt.isExtended && error.code === 'connect-timeout';
      if (!mayBeElsewhere(error) || isUnmet) break;
      // What was not answered in time is still open.
      if (attempt.signal.aborted) {
        await http.close();
        http = undefined;
      }
    } finally {
      attempt.done();
    }
  }
  await http?.close();
  throw connectError(target, tried, mostTelling(errors) ?? nothingToAsk(target, transport));
}

/** Goes on with a session; `undefined` if its server has forgotten it. */
async function goOn(
  options: DialOptions,
  target: UrlTarget,
  session: StreamableResumption,
): Promise<Connected | undefined> {
  const { connectMs } = options;
  const attempt = withDeadline(options.signal, connectMs, place(session.url));
  const { authorization } = target;
  const http = new Http(options.channel, { ...options, authorization });
  try {
    const connected = await goOnByPost({ ...options, http, signal: attempt.signal }, session);
    if (connected === undefined) await http.close();
    else options.onResumed();
    return connected;
  } catch (cause) {
    await http.close();
    throw options.signal.aborted
      ? options.signal.reason
      : connectError(target, [], said(cause, attempt.signal));
  } finally {
    attempt.done();
  }
}

async function ask(step: Step, options: DialOptions & { http: Http }): Promise<Connected> {
  const { introduction } = options;
  const { url, dialect, by } = step;
  if (by === 'stream') {
    const { initialize } = introduction;
    return shakeHands({ ...options, url, dialect, initialize });
  }
  const { discover, initialize } = introduction;
  if (by === 'discover' && discover !== undefined) {
    return shakeHandsByPost({ ...options, url }, { request: discover, era: 'modern' });
  }
  return shakeHandsByPost(
    { ...options, url, mayBeModern: discover !== undefined },
    { request: initialize, era: 'legacy' },
  );
}

/** What ended an attempt by its signal says more than how the attempt noticed. */
function said(cause: unknown, signal?: AbortSignal): LongwireError {
  const error: unknown = signal?.aborted === true ? signal.reason : cause;
  if (!(error instanceof LongwireError)) throw error;
  return error;
}

function asked({ by }: Step): string {
  if (by === 'stream') return 'GET';
  return by === 'discover' ? 'server/discover' : 'initialize';
}

function mayBeElsewhere(error: LongwireError): boolean {
  if (error instanceof HttpStatusError) return ELSEWHERE.has(error.status);
  return error.code === 'not-mcp' || error.code === 'connect-timeout';
}

/**
 * That a server is not well, or takes its time, says more than that it knows no such place; and so
 * does what says what to do.
 */
function mostTelling(errors: readonly LongwireError[]): LongwireError | undefined {
  const isAdvice = ({ hint }: LongwireError): boolean => hint !== undefined;
  return errors.findLast(isAway) ?? errors.find(isAdvice) ?? errors.at(-1);
}

function isAway(error: LongwireError): boolean {
  if (error instanceof HttpStatusError) return error.status >= 500;
  const { code, cause } = error;
  // A stream that ended before it said anything.
  const hasEndedEarly = cause instanceof LongwireError && cause.code === 'connection-lost';
  return code === 'connect-timeout' || hasEndedEarly;
}

function nothingToAsk(target: Target, transport: Dialect | undefined): LongwireError {
  return new LongwireError(`${target.name} cannot be reached by ${String(transport)}`, {
    code: 'config',
    certainty: 'not-sent',
    hint: 'leave out transport, or name one that fits the target',
  });
}

function connectError(target: Target, tried: Tried[], cause: LongwireError): ConnectError {
  const isElsewhere = cause instanceof HttpStatusError && ELSEWHERE.has(cause.status);
  const code = isElsewhere ? 'not-mcp' : cause.code;
  const what = tried.length > 1 ? `tried ${toldOnce(tried)}` : cause.summary;
  const isSaid = tried.length < 2 && code === 'connect-failed';
  const where = target.kind === 'url' ? place(target.url) : target.name;
  return new ConnectError(isSaid ? what : `could not connect to ${where}: ${what}`, {
    code,
    hint: cause.hint ?? (code === 'not-mcp' ? 'is this the address of an MCP server?' : undefined),
    cause,
    tried,
  });
}

/** What was tried, with each outcome told once, however many questions met it. */
function toldOnce(tried: readonly Tried[]): string {
  const told = new Map<string, { said: string; asked: Set<string> }>();
  for (const { url, outcome } of tried) {
    const method = ['GET', 'POST'].find((name) => outcome.startsWith(`${name} ${url} `));
    const asked = method === undefined ? url : `${method} ${url}`;
    const said = method === undefined ? outcome : outcome.slice(asked.length + 1);
    // Many servers repeat in a page what they were asked.
    const key = said.replaceAll(`${method} ${new URL(url).pathname}`, '');
    const known = told.get(key);
    if (known === undefined) told.set(key, { said, asked: new Set([asked]) });
    else known.asked.add(asked);
  }
  const parts = [...told.values()].map(({ said, asked }) => `${[...asked].join(', ')} (${said})`);
  return parts.join(', then ');
}

/** Ends an attempt, with a reason that says how long it was given. */
interface Deadline {
  readonly signal: AbortSignal;
  /** More time was given. */
  readonly isExtended: boolean;
  /** Gives more time: until then, on the clock of `performance.now()`. */
  extend(until: number): void;
  /** The attempt is over. */
  done(): void;
}

function withDeadline(outer: AbortSignal, ms: number, where: string): Deadline {
  const controller = new AbortController();
  const follow = (): void => controller.abort(outer.reason);
  outer.addEventListener('abort', follow, { once: true });
  if (outer.aborted) follow();
  const startedAt = performance.now();
  let isExtended = false;
  let isOver = false;
  const endAt = (until: number): NodeJS.Timeout =>
    setTimeout(
      () => {
        const ms = Math.round(until - startedAt);
        controller.abort(
          new LongwireError(`no MCP server answered at ${where} within ${ms} ms`, {
            code: 'connect-timeout',
            certainty: 'not-sent',
            hint: 'check that it is the right one, or raise timeouts.connectMs',
          }),
        );
      },
      Math.max(0, until - performance.now()),
    );
  let timer = endAt(startedAt + ms);
  return {
    signal: controller.signal,
    get isExtended() {
      return isExtended;
    },
    extend: (until) => {
      if (isOver) return;
      clearTimeout(timer);
      isExtended = true;
      timer = endAt(until);
    },
    done: () => {
      isOver = true;
      clearTimeout(timer);
      outer.removeEventListener('abort', follow);
    },
  };
}

/** Options whose `onChallenge` is told of before it is asked: whoever answers one may take a while. */
function toldOfChallenges(
  channel: Partial<ChannelOptions>,
  onAsked: () => void,
): Partial<ChannelOptions> {
  const ask = channel.auth?.onChallenge;
  if (ask === undefined) return channel;
  const onChallenge: typeof ask = (...challenge) => {
    onAsked();
    return ask(...challenge);
  };
  return { ...channel, auth: { ...channel.auth, onChallenge } };
}
