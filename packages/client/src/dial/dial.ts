import type { AsyncResource } from 'node:async_hooks';
import type { ChannelHandlers, Resumption } from '../channels/channel.js';
import type { CookieJar } from '../http/cookies.js';
import type { Credentials } from '../http/credentials.js';
import type { SharedDispatchers } from '../http/dispatchers.js';
import { HttpClient } from '../http/client.js';
import type { HeaderRecord } from '../http/headers.js';
import type { Network } from '../http/network.js';
import type { JsonBounds } from '../untrusted/json.js';
import { isUndiciLoaded, loadUndici } from '../http/undici.js';
import { displayUrl } from '../http/display-url.js';
import { StreamableResumption } from '../channels/streamable/resumption.js';
import type { TrafficCounts } from '../http/traffic-counts.js';
import { LongwireError, type ProbeResult } from '../errors.js';
import type { KnownSecrets } from '../secrets/known-secrets.js';
import { noAnswer, startDeadline } from './deadline.js';
import type { FirstRequests } from './eras.js';
import { handshakeByStream, type Connected } from './handshake.js';
import { handshakeWithProcess } from './process-handshake.js';
import { isElsewhere, probeError, Detection, type ProbeOptions, type Outcome } from './detect.js';
import { connectError, isWebPage, mostHelpful, webPage } from './no-server.js';
import { probesFor, type Probe } from './probes.js';
import { isTlsSpoken, tlsIsSpoken } from './plain-http.js';
import { resumeByPost, handshakeByPost } from './streamable-handshake.js';
import type { Target, UrlTarget } from './target.js';
import {
  forgetDetection,
  rememberedDetection,
  rememberDetection,
  type Wanted,
} from './detected.js';
import type { ChannelOptions } from '../options/channel-options.js';
import type { TransportName } from '../transport-name.js';

/** What a dial is made with. */
export interface DialOptions {
  target: Target;
  /** The only transport that may be used. */
  transport: TransportName | undefined;
  firstRequests: FirstRequests;
  /** How the channel before can be resumed, if it can. */
  resumption: Resumption | undefined;
  /** Called when the channel before is resumed, before any message of it is delivered. */
  onResumed: () => void;
  handlers: ChannelHandlers;
  channel: Partial<ChannelOptions>;
  /** For all probes together. */
  connectMs: number;
  /** What one event of a stream may hold. */
  maxEventBytes: number;
  /** What one message may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds | undefined;
  /** How long a stream on which the server speaks unasked may be silent; 0: for ever. */
  serverStreamSilenceMs: number;
  /** The async context in which the program's functions run for internal requests. */
  scope: AsyncResource;
  /** Headers of every internal request, over the program's. */
  internalHeaders: () => HeaderRecord | undefined;
  /** Counts everything that is sent and received. */
  counts: TrafficCounts;
  /** How servers are reached. Default: without a proxy, and trusted as Node does. */
  network?: Network | undefined;
  /** Where cookies are kept. Default: nowhere. */
  cookieJar?: CookieJar | undefined;
  /** Learns what is sent and must not be shown. Default: nobody does. */
  secrets?: KnownSecrets | undefined;
  /** Of the principal for whom it is dialled. Default: for nobody but the client. */
  credentials?: Credentials | undefined;
  /** The sockets of all principals of a client. Default: the session has its own. */
  sharedDispatchers?: SharedDispatchers | undefined;
  signal: AbortSignal;
}

/**
 * Dials a target once, within one deadline.
 *
 * @throws ConnectError that lists the probes; the reason of `signal` if that aborted it.
 */
export async function dial(options: DialOptions): Promise<Connected> {
  const { target } = options;
  if (target.kind === 'url') return dialUrl(options, target);
  const attempt = startDeadline(options.signal, options.connectMs, target.name);
  try {
    return await handshakeWithProcess({ ...options, target, signal: attempt.signal });
  } catch (cause) {
    throw options.signal.aborted
      ? options.signal.reason
      : connectError(options, { tried: [], cause: probeError(cause) });
  } finally {
    attempt.done();
  }
}

/** Sends the probe that found the target before, and all others if it fails or none did. */
async function dialUrl(options: DialOptions, target: UrlTarget): Promise<Connected> {
  const { connectMs, transport, firstRequests, resumption } = options;
  // The server does not pay for that with its time.
  if (!isUndiciLoaded()) await loadUndici();
  const endsAt = performance.now() + connectMs;
  if (resumption instanceof StreamableResumption) {
    const resumed = await resumeSession(options, target, resumption);
    if (resumed !== undefined) return resumed;
  }
  const wanted: Wanted = { url: target.url, transport, methods: firstRequests.methods };
  const known = rememberedDetection(wanted);
  const tried: ProbeResult[] = [];
  const errors: LongwireError[] = [];
  for (const [index, probes] of probesFor(target, known, wanted).entries()) {
    const leftMs = endsAt - performance.now();
    if (probes.length === 0 || leftMs <= 0) continue;
    // An earlier detection found nothing better, so that nothing better is probed again.
    const isGood = index === 0 && known?.isSecondBest === true;
    const outcome = await detect(options, { target, probes, isGood, leftMs });
    tried.push(...outcome.tried);
    errors.push(...outcome.errors);
    if (outcome.found !== undefined) {
      const { connected, probe } = outcome.found;
      rememberDetection(wanted, {
        transport: connected.channel.transport,
        by: probe.by,
        url: probe.url,
        isSecondBest: isSecondBest(probe, connected, firstRequests),
      });
      return { ...connected, tried };
    }
    // A server that was not reached shows nothing new.
    if (outcome.errors.some(({ code }) => code !== 'connect-failed')) forgetDetection(wanted);
    if (!outcome.errors.every(isElsewhere)) break;
  }
  const isLate = performance.now() >= endsAt;
  const none = isLate ? noAnswer(target.name, connectMs) : noProbe(options);
  if (known === undefined && (await isTlsSpoken(options, errors))) {
    throw connectError(options, { tried, cause: tlsIsSpoken(target.url), isClear: true });
  }
  if (isWebPage(errors)) {
    throw connectError(options, { tried, cause: webPage(target), isClear: true });
  }
  throw connectError(options, { tried, cause: mostHelpful(errors) ?? none });
}

/** Sends some probes. */
function detect(
  options: DialOptions,
  {
    target: { authorization },
    probes,
    isGood,
    leftMs,
  }: { target: UrlTarget; probes: readonly Probe[]; isGood: boolean; leftMs: number },
): Promise<Outcome> {
  const { channel, firstRequests, signal } = options;
  return new Detection({
    probes,
    connectMs: leftMs,
    send: (probe, own) => sendProbe(probe, { ...options, ...own }),
    createHttp: (onChallenge) =>
      new HttpClient(
        {
          ...channel,
          ...(onChallenge !== undefined && { auth: { ...channel.auth, onChallenge } }),
        },
        { ...options, authorization },
      ),
    onChallenge: channel.auth?.onChallenge,
    isSecondBest: (probe, connected) => !isGood && isSecondBest(probe, connected, firstRequests),
    signal,
  }).run();
}

/**
 * Whether this is a legacy server that cannot send requests, for a program with handlers for them:
 * without a session, the program's answer would not reach the request of the server. In the newest era
 * tools can ask in their results, so that `server/discover` may find better.
 */
function isSecondBest(
  { by }: Probe,
  { channel, answer }: Connected,
  { methods }: FirstRequests,
): boolean {
  if (by !== 'initialize') return false;
  if (channel.transport !== 'streamable-http' || channel.resumption !== undefined) return false;
  if (answer === undefined || 'error' in answer) return false;
  return methods.indexOf('initialize') < methods.indexOf('discover');
}

/** Resumes a session; `undefined` if its server does not know it any more. */
async function resumeSession(
  options: DialOptions,
  target: UrlTarget,
  session: StreamableResumption,
): Promise<Connected | undefined> {
  const { connectMs } = options;
  const attempt = startDeadline(options.signal, connectMs, displayUrl(session.url));
  const { authorization } = target;
  const http = new HttpClient(options.channel, { ...options, authorization });
  try {
    const connected = await resumeByPost({ ...options, http, signal: attempt.signal }, session);
    if (connected === undefined) await http.close();
    else options.onResumed();
    return connected;
  } catch (cause) {
    await http.close();
    throw options.signal.aborted
      ? options.signal.reason
      : connectError(options, { tried: [], cause: probeError(cause, attempt.signal) });
  } finally {
    attempt.done();
  }
}

function sendProbe(probe: Probe, options: DialOptions & ProbeOptions): Promise<Connected> {
  const { firstRequests } = options;
  const { discover, initialize, methods } = firstRequests;
  const { url, transport, by } = probe;
  if (by === 'stream') return handshakeByStream({ ...options, url, transport, initialize });
  if (by === 'discover' && discover !== undefined) {
    return handshakeByPost({ ...options, url }, { request: discover, era: 'modern' });
  }
  return handshakeByPost(
    { ...options, url, mayBeModern: methods.includes('discover') },
    { request: initialize, era: 'legacy' },
  );
}

function noProbe({ target, transport, firstRequests: { methods } }: DialOptions): LongwireError {
  const version = methods.includes('initialize') ? '' : ' in the newest protocol version';
  return new LongwireError(`${target.name} cannot be reached by ${String(transport)}${version}`, {
    code: 'config',
    certainty: 'not-sent',
    hint: 'leave out transport, or name one that fits the target',
  });
}
