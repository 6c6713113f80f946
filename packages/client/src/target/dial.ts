import type { AsyncResource } from 'node:async_hooks';
import type { ChannelHandlers, ChannelOptions, Dialect, Resumption } from '../channels/channel.js';
import type { CookieJar } from '../channels/cookies.js';
import { Http } from '../channels/http.js';
import type { HeaderRecord } from '../channels/headers.js';
import type { JsonBounds } from '../channels/json.js';
import { place } from '../channels/place.js';
import { StreamableResumption } from '../channels/streamable-session.js';
import type { TrafficCounts } from '../channels/traffic-counts.js';
import { ConnectError, HttpStatusError, LongwireError, type Tried } from '../errors.js';
import type { KnownSecrets } from '../secrets/known-secrets.js';
import { startDeadline } from './deadline.js';
import type { Introduction, Question } from './eras.js';
import { shakeHands, type Connected } from './handshake.js';
import { shakeHandsWithin } from './process-handshake.js';
import { isElsewhere, isUnauthorized, said, Search, type Asking, type Outcome } from './search.js';
import { stepsFor, type Step } from './steps.js';
import { goOnByPost, shakeHandsByPost } from './streamable-handshake.js';
import type { Target, UrlTarget } from './target.js';
import { forgetVerdict, rememberedVerdict, rememberVerdict, type Wanted } from './verdicts.js';

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
  /** Where cookies are kept. Default: nowhere. */
  cookieJar?: CookieJar | undefined;
  /** Told what is sent and must not be told. Default: nobody is. */
  secrets?: KnownSecrets | undefined;
  signal: AbortSignal;
}

/**
 * Dials a target once, within one deadline.
 *
 * @throws ConnectError that lists what was tried; the reason of `signal` if that ended it.
 */
export async function dial(options: DialOptions): Promise<Connected> {
  const { target } = options;
  if (target.kind === 'url') return dialUrl(options, target);
  const attempt = startDeadline(options.signal, options.connectMs, target.name);
  try {
    return await shakeHandsWithin({ ...options, target, signal: attempt.signal });
  } catch (cause) {
    throw options.signal.aborted
      ? options.signal.reason
      : connectError(options, { tried: [], cause: said(cause) });
  } finally {
    attempt.done();
  }
}

/** Asks what is known of the target; if it is another server by now, or unknown, all that may be. */
async function dialUrl(options: DialOptions, target: UrlTarget): Promise<Connected> {
  const { connectMs, transport, introduction, resumption } = options;
  const endsAt = performance.now() + connectMs;
  if (resumption instanceof StreamableResumption) {
    const session = await goOn(options, target, resumption);
    if (session !== undefined) return session;
  }
  const wanted: Wanted = { url: target.url, transport, questions: introduction.questions };
  const known = rememberedVerdict(wanted);
  const tried: Tried[] = [];
  const errors: LongwireError[] = [];
  for (const [index, steps] of stepsFor(target, known, wanted).entries()) {
    const leftMs = endsAt - performance.now();
    if (steps.length === 0 || leftMs <= 0) continue;
    // That there is no better was found out before, and is not asked each time.
    const isGood = index === 0 && known?.isSecondBest === true;
    const outcome = await search(options, { target, steps, isGood, leftMs });
    tried.push(...outcome.tried);
    errors.push(...outcome.errors);
    if (outcome.found !== undefined) {
      const { connected, step } = outcome.found;
      rememberVerdict(wanted, {
        dialect: connected.channel.dialect,
        by: step.by,
        url: step.url,
        isSecondBest: isSecondBest(step, connected, introduction),
      });
      return { ...connected, tried };
    }
    // Of a server that was not reached there is nothing new to know.
    if (outcome.errors.some(({ code }) => code !== 'connect-failed')) forgetVerdict(wanted);
    if (!outcome.errors.every(isElsewhere)) break;
  }
  throw connectError(options, { tried, cause: mostTelling(errors) ?? nothingToAsk(options) });
}

/** Asks some questions. */
function search(
  options: DialOptions,
  {
    target: { authorization },
    steps,
    isGood,
    leftMs,
  }: { target: UrlTarget; steps: readonly Step[]; isGood: boolean; leftMs: number },
): Promise<Outcome> {
  const { channel, introduction, signal } = options;
  return new Search({
    steps,
    connectMs: leftMs,
    ask: (step, asking) => ask(step, { ...options, ...asking }),
    createHttp: (onChallenge) =>
      new Http(
        { ...channel, ...(onChallenge !== undefined && { auth: { onChallenge } }) },
        { ...options, authorization },
      ),
    onChallenge: channel.auth?.onChallenge,
    isSecondBest: (step, connected) => !isGood && isSecondBest(step, connected, introduction),
    signal,
  }).run();
}

/**
 * Whether a program that wants to be asked was found a legacy server that cannot ask it: without a
 * session, no answer of the program would find its way back to the question. In the newest era
 * tools can ask in their results.
 */
function isSecondBest(
  { by }: Step,
  { channel, answer }: Connected,
  { questions }: Introduction,
): boolean {
  if (by !== 'initialize') return false;
  if (channel.dialect !== 'streamable-http' || channel.resumption !== undefined) return false;
  if (answer === undefined || 'error' in answer) return false;
  return questions.indexOf('initialize') < questions.indexOf('discover');
}

/** Goes on with a session; `undefined` if its server has forgotten it. */
async function goOn(
  options: DialOptions,
  target: UrlTarget,
  session: StreamableResumption,
): Promise<Connected | undefined> {
  const { connectMs } = options;
  const attempt = startDeadline(options.signal, connectMs, place(session.url));
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
      : connectError(options, { tried: [], cause: said(cause, attempt.signal) });
  } finally {
    attempt.done();
  }
}

function ask(step: Step, options: DialOptions & Asking): Promise<Connected> {
  const { introduction } = options;
  const { discover, initialize, questions } = introduction;
  const { url, dialect, by } = step;
  if (by === 'stream') return shakeHands({ ...options, url, dialect, initialize });
  if (by === 'discover' && discover !== undefined) {
    return shakeHandsByPost({ ...options, url }, { request: discover, era: 'modern' });
  }
  return shakeHandsByPost(
    { ...options, url, mayBeModern: questions.includes('discover') },
    { request: initialize, era: 'legacy' },
  );
}

/**
 * That credentials are not enough says most; that a server is not well, or takes its time, says more
 * than that it knows no such place; and so does what says what to do.
 */
function mostTelling(errors: readonly LongwireError[]): LongwireError | undefined {
  const isAdvice = ({ hint }: LongwireError): boolean => hint !== undefined;
  const told = errors.findLast(isUnauthorized) ?? errors.findLast(isAway);
  return told ?? errors.find(isAdvice) ?? errors.at(-1);
}

function isAway(error: LongwireError): boolean {
  if (error instanceof HttpStatusError) return error.status >= 500;
  const { code, cause } = error;
  // A stream that ended before it said anything.
  const hasEndedEarly = cause instanceof LongwireError && cause.code === 'connection-lost';
  return code === 'connect-timeout' || hasEndedEarly;
}

function nothingToAsk({
  target,
  transport,
  introduction: { questions },
}: DialOptions): LongwireError {
  const version = questions.includes('initialize') ? '' : ' in the newest protocol version';
  return new LongwireError(`${target.name} cannot be reached by ${String(transport)}${version}`, {
    code: 'config',
    certainty: 'not-sent',
    hint: 'leave out transport, or name one that fits the target',
  });
}

function connectError(
  { target, introduction: { questions } }: DialOptions,
  { tried, cause }: { tried: Tried[]; cause: LongwireError },
): ConnectError {
  const code = isElsewhere(cause) ? 'not-mcp' : cause.code;
  const what = tried.length > 1 ? `tried ${toldOnce(tried)}` : cause.summary;
  const isSaid = tried.length < 2 && code === 'connect-failed';
  const where = target.kind === 'url' ? place(target.url) : target.name;
  return new ConnectError(isSaid ? what : `could not connect to ${where}: ${what}`, {
    code,
    hint: cause.hint ?? (code === 'not-mcp' ? notMcpHint(questions) : undefined),
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

function notMcpHint(questions: readonly Question[]): string {
  if (questions.includes('initialize')) return 'is this the address of an MCP server?';
  return 'leave out protocol if the server may speak an older version';
}
