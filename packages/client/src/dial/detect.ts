import type { HttpClient } from '../http/client.js';
import { displayUrl } from '../http/display-url.js';
import { HttpStatusError, LongwireError, type ErrorCode, type ProbeResult } from '../errors.js';
import { noAnswer, startDeadline, type Deadline } from './deadline.js';
import type { Connected } from './handshake.js';
import type { Probe } from './probes.js';
import type { ChannelOptions } from '../options/channel-options.js';

/** How long a probe may be silent, at most, until the next one starts in parallel. */
const MAX_SILENCE_MS = 5000;

/** Statuses that say: no server of this kind is here. */
const ELSEWHERE: ReadonlySet<number> = new Set([
  301, 302, 303, 400, 404, 405, 406, 415, 422, 500, 501,
]);

/** Errors that an older server may answer to a request of the newest era. */
const NOT_MODERN: ReadonlySet<ErrorCode> = new Set([
  'not-mcp',
  'connect-timeout',
  'connection-lost',
  'limit-exceeded',
]);

type OnChallenge = NonNullable<ChannelOptions['auth']['onChallenge']>;

/** What one probe is sent with. */
export interface ProbeOptions {
  http: HttpClient;
  /** Aborts it. Its reason is a LongwireError. */
  signal: AbortSignal;
  /** To be called when a stream has sent its endpoint: all other probes are cancelled then. */
  onEndpoint: () => void;
}

/** What a detection is made with. */
export interface DetectionOptions {
  probes: readonly Probe[];
  /** For all probes together. */
  connectMs: number;
  /** Sends one probe. */
  send: (probe: Probe, options: ProbeOptions) => Promise<Connected>;
  /** Makes the client of a probe, with the program's `onChallenge` if it has one. */
  createHttp: (onChallenge: OnChallenge | undefined) => HttpClient;
  onChallenge: OnChallenge | undefined;
  /** Whether the server that was found can be used, but another probe may find a better one. */
  isSecondBest: (probe: Probe, connected: Connected) => boolean;
  signal: AbortSignal;
}

/** What a detection found: a server, or why there is none. */
export interface Outcome {
  found: { connected: Connected; probe: Probe } | undefined;
  /** In the order in which they were sent. */
  tried: ProbeResult[];
  /** In the order in which they came. */
  errors: LongwireError[];
}

/** A probe that is not answered yet. */
interface RunningProbe {
  probe: Probe;
  http: HttpClient;
  deadline: Deadline;
  sentAt: number;
  /** It makes a session: it is `initialize`, or its stream has sent an endpoint. */
  makesSession: boolean;
  result: ProbeResult;
  /** Never rejected. */
  end: Promise<End>;
}

type End = { running: RunningProbe } & (
  { connected: Connected; error?: never } | { connected?: never; error: LongwireError }
);

/**
 * Sends one probe after the other until one is answered. Each has all the time that is left.
 *
 * - The next probe starts when the one before is refused.
 * - It starts in parallel when the one before has been silent for a while.
 * - `initialize` makes a session, so that two of them never run in parallel.
 */
export class Detection {
  readonly #options: DetectionOptions;
  readonly #silenceMs: number;
  readonly #endsAt: number;
  readonly #open = new Set<RunningProbe>();
  readonly #idle: HttpClient[] = [];
  readonly #tried: ProbeResult[] = [];
  readonly #errors: LongwireError[] = [];
  #next = 0;
  #latest: RunningProbe | undefined;
  #secondBest: Outcome['found'];
  /** The next probe may start. */
  #mayStartNext = true;
  /** Since when the latest probe is silent, without the time that challenges take. */
  #silentSince = 0;
  #challenges = 0;
  /** The program's credentials were refused after a challenge. */
  #areCredentialsRefused = false;
  #isOver = false;

  constructor(options: DetectionOptions) {
    this.#options = options;
    this.#silenceMs = Math.min(MAX_SILENCE_MS, options.connectMs / options.probes.length);
    this.#endsAt = performance.now() + options.connectMs;
  }

  /** @throws the reason of `signal` if that aborted it; anything that is no LongwireError. */
  async run(): Promise<Outcome> {
    let found: Outcome['found'];
    try {
      found = await this.#detect();
    } finally {
      this.#isOver = true;
      if (found !== this.#secondBest) await this.#secondBest?.connected.channel.close();
      await this.#closeAll();
    }
    return { found, tried: this.#tried, errors: this.#errors };
  }

  async #detect(): Promise<Outcome['found']> {
    for (;;) {
      if (this.#mayStartNext) this.#startNext();
      if (this.#open.size === 0) return this.#secondBest;
      const end = await this.#firstEnd();
      if (end === undefined) {
        // A better one does not answer at once: this one is used.
        if (this.#secondBest !== undefined) return this.#secondBest;
        this.#mayStartNext = true;
        continue;
      }
      const { running, connected, error } = end;
      const wasOpen = this.#open.delete(running);
      if (!wasOpen) continue;
      running.deadline.done();
      this.#mayStartNext ||= running === this.#latest;
      if (connected !== undefined) {
        const { probe } = running;
        running.result.outcome = `${requestOf(probe)} was answered: ${connected.channel.transport}`;
        if (!this.#options.isSecondBest(probe, connected)) return { connected, probe };
        this.#secondBest = { connected, probe };
      } else {
        await this.#refused(running, error);
        // A server that accepts no more connections may still answer the open probes.
        const isBusy = error.code === 'connect-failed' && this.#open.size > 0;
        if (isBusy) this.#next = this.#options.probes.length;
        else if (!leadsToNext(running.probe, error)) return this.#secondBest;
      }
    }
  }

  /** The first probe that ends; `undefined` once the latest one has been silent for too long. */
  async #firstEnd(): Promise<End | undefined> {
    const ends = [...this.#open].map(({ end }) => end);
    if (this.#mayStartNext || this.#next >= this.#options.probes.length) return Promise.race(ends);
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<undefined>((resolve) => {
      const check = (): void => {
        const silentMs = this.#challenges > 0 ? 0 : performance.now() - this.#silentSince;
        if (silentMs >= this.#silenceMs) resolve(undefined);
        else timer = setTimeout(check, Math.ceil(this.#silenceMs - silentMs));
      };
      check();
    });
    try {
      return await Promise.race([...ends, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  #startNext(): void {
    const { probes, signal, send } = this.#options;
    const probe = probes[this.#next];
    const leftMs = this.#endsAt - performance.now();
    if (probe === undefined || leftMs <= 0 || this.#mustWait(probe)) return;
    this.#next++;
    this.#mayStartNext = false;
    const where = displayUrl(probe.url);
    const deadline = startDeadline(signal, leftMs, where);
    const running: Omit<RunningProbe, 'end'> & { end?: Promise<End> } = {
      probe,
      http: this.#idle.pop() ?? this.#options.createHttp(this.#onChallenge()),
      deadline,
      sentAt: performance.now(),
      makesSession: probe.by === 'initialize',
      result: { url: where, outcome: '' },
    };
    const options: ProbeOptions = {
      http: running.http,
      signal: deadline.signal,
      onEndpoint: () => this.#endpointOpened(running as RunningProbe),
    };
    const opened = running as RunningProbe;
    opened.end = send(probe, options).then(
      (connected) => ({ running: opened, connected }),
      (cause: unknown) => ({ running: opened, error: probeError(cause, deadline.signal) }),
    );
    this.#latest = opened;
    this.#silentSince = opened.sentAt;
    this.#open.add(opened);
    this.#tried.push(opened.result);
  }

  /** Sessions are not made in parallel, and no probe starts beside a stream with an endpoint. */
  #mustWait({ by }: Probe): boolean {
    return [...this.#open].some(
      ({ probe, makesSession }) => makesSession && (by === 'initialize' || probe.by === 'stream'),
    );
  }

  /** `initialize` is sent to the endpoint, and nowhere else. */
  #endpointOpened(running: RunningProbe): void {
    running.makesSession = true;
    this.#latest = running;
    for (const other of this.#open) {
      if (other !== running) void this.#cancel(other);
    }
  }

  async #refused({ result, http, deadline }: RunningProbe, error: LongwireError): Promise<void> {
    const { signal } = this.#options;
    if (signal.aborted) {
      await http.close();
      throw signal.reason;
    }
    result.outcome = error.summary;
    this.#errors.push(error);
    if (this.#options.onChallenge !== undefined && isUnauthorized(error)) {
      this.#areCredentialsRefused = true;
    }
    // A client with a request that was not answered in time is not used again.
    if (deadline.signal.aborted) await http.close();
    else this.#idle.push(http);
  }

  /** Cancels an open probe. A channel that still comes of it is closed. */
  async #cancel(running: RunningProbe): Promise<void> {
    const { result, deadline, http, end, sentAt } = running;
    this.#open.delete(running);
    const reason = noAnswer(result.url, performance.now() - sentAt);
    result.outcome = reason.summary;
    deadline.done();
    deadline.cancel(reason);
    const { connected } = await end.catch(() => ({ connected: undefined }));
    await connected?.channel.close();
    await http.close();
  }

  async #closeAll(): Promise<void> {
    const open = [...this.#open].map((running) => this.#cancel(running));
    await Promise.all([...open, ...this.#idle.map((http) => http.close())]);
  }

  /** The program's `onChallenge`, but not again once its credentials were refused. */
  #onChallenge(): OnChallenge | undefined {
    const { onChallenge } = this.#options;
    if (onChallenge === undefined) return undefined;
    return async (...challenge) => {
      if (this.#isOver) return onChallenge(...challenge);
      if (this.#areCredentialsRefused) return 'fail';
      this.#challenges++;
      try {
        return await onChallenge(...challenge);
      } finally {
        this.#challenges--;
        this.#silentSince = performance.now();
      }
    };
  }
}

/** The reason of the signal if that aborted a probe: it says more than the error of the probe. */
export function probeError(cause: unknown, signal?: AbortSignal): LongwireError {
  const error: unknown = signal?.aborted === true ? signal.reason : cause;
  if (!(error instanceof LongwireError)) throw error;
  return error;
}

/** Whether the next probe starts after this error. */
function leadsToNext({ by }: Probe, error: LongwireError): boolean {
  if (by === 'discover') return error instanceof HttpStatusError || NOT_MODERN.has(error.code);
  return isElsewhere(error) || error.code === 'connect-timeout';
}

/** Whether the error says that no server of this kind is at the URL. */
export function isElsewhere(error: LongwireError): boolean {
  if (error instanceof HttpStatusError) return ELSEWHERE.has(error.status);
  return error.code === 'not-mcp';
}

/** Whether the credentials were refused. */
export function isUnauthorized({ code }: LongwireError): boolean {
  return code === 'unauthorized' || code === 'forbidden';
}

function requestOf({ by }: Probe): string {
  if (by === 'stream') return 'GET';
  return by === 'discover' ? 'server/discover' : 'initialize';
}
