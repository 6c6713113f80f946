import type { ChannelOptions } from '../channels/channel.js';
import type { Http } from '../channels/http.js';
import { place } from '../channels/place.js';
import { HttpStatusError, LongwireError, type ErrorCode, type Tried } from '../errors.js';
import { noAnswer, startDeadline, type Deadline } from './deadline.js';
import type { Connected } from './handshake.js';
import type { Step } from './steps.js';

/** How long a question may be unanswered until the next one is asked beside it, at most. */
const PATIENCE_MS = 5000;

/** Answers that say: no server of this kind here, look elsewhere. */
const ELSEWHERE: ReadonlySet<number> = new Set([
  301, 302, 303, 400, 404, 405, 406, 415, 422, 500, 501,
]);

/** What is no word of the newest era, whatever it is, may be all that an older server says of it. */
const NO_WORD: ReadonlySet<ErrorCode> = new Set([
  'not-mcp',
  'connect-timeout',
  'connection-lost',
  'limit-exceeded',
]);

type OnChallenge = NonNullable<ChannelOptions['auth']['onChallenge']>;

/** What one question is asked with. */
export interface Asking {
  http: Http;
  /** Ends it. Its reason is a LongwireError. */
  signal: AbortSignal;
  /** To be called when the stream of an HTTP+SSE server is there: nothing else is asked then. */
  onEndpoint: () => void;
}

/** What a search is made with. */
export interface SearchOptions {
  steps: readonly Step[];
  /** For all questions together. */
  connectMs: number;
  /** Asks one question. */
  ask: (step: Step, asking: Asking) => Promise<Connected>;
  /** Makes what a question is sent over, with the program's answer to challenges if it has one. */
  createHttp: (onChallenge: OnChallenge | undefined) => Http;
  onChallenge: OnChallenge | undefined;
  /** Whether what was found is good, but what the next question finds would be better. */
  isSecondBest: (step: Step, connected: Connected) => boolean;
  signal: AbortSignal;
}

/** What a search came to: a server, or why there is none. */
export interface Outcome {
  found: { connected: Connected; step: Step } | undefined;
  /** In the order in which it was asked. */
  tried: Tried[];
  /** In the order in which they came. */
  errors: LongwireError[];
}

/** A question that is open. */
interface Probe {
  step: Step;
  http: Http;
  deadline: Deadline;
  askedAt: number;
  /** The server has sent its endpoint: the handshake is under way there. */
  isTaken: boolean;
  told: Tried;
  /** Never rejected. */
  end: Promise<End>;
}

type End = { probe: Probe } & (
  { connected: Connected; error?: never } | { connected?: never; error: LongwireError }
);

/**
 * Asks one question after the other until one is answered. Each has all the time that is left: the
 * next one is asked when the one before is refused, or beside it once that has been silent for a
 * while. `initialize` makes a session, and so is never under way twice.
 */
export class Search {
  readonly #options: SearchOptions;
  readonly #patienceMs: number;
  readonly #endsAt: number;
  readonly #open = new Set<Probe>();
  readonly #idle: Http[] = [];
  readonly #tried: Tried[] = [];
  readonly #errors: LongwireError[] = [];
  #next = 0;
  #latest: Probe | undefined;
  #secondBest: Outcome['found'];
  /** The next question may be asked. */
  #isTurn = true;
  /** Since when the latest question is unanswered, not counting what a challenge takes. */
  #silentSince = 0;
  #challenges = 0;
  #isRefusedForGood = false;
  #isOver = false;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#patienceMs = Math.min(PATIENCE_MS, options.connectMs / options.steps.length);
    this.#endsAt = performance.now() + options.connectMs;
  }

  /** @throws the reason of `signal` if that ended it, or what is no LongwireError. */
  async run(): Promise<Outcome> {
    let found: Outcome['found'];
    try {
      found = await this.#search();
    } finally {
      this.#isOver = true;
      if (found !== this.#secondBest) await this.#secondBest?.connected.channel.close();
      await this.#dropAll();
    }
    return { found, tried: this.#tried, errors: this.#errors };
  }

  async #search(): Promise<Outcome['found']> {
    for (;;) {
      if (this.#isTurn) this.#askNext();
      if (this.#open.size === 0) return this.#secondBest;
      const end = await this.#firstEnd();
      if (end === undefined) {
        // The better one is not there at once: what is there is good.
        if (this.#secondBest !== undefined) return this.#secondBest;
        this.#isTurn = true;
        continue;
      }
      const { probe, connected, error } = end;
      const wasOpen = this.#open.delete(probe);
      if (!wasOpen) continue;
      probe.deadline.done();
      this.#isTurn ||= probe === this.#latest;
      if (connected !== undefined) {
        const { step } = probe;
        probe.told.outcome = `${asked(step)} was answered: ${connected.channel.dialect}`;
        if (!this.#options.isSecondBest(step, connected)) return { connected, step };
        this.#secondBest = { connected, step };
      } else {
        await this.#refused(probe, error);
        // A server that takes no more connections may be at work on what it has taken.
        const isTaken = error.code === 'connect-failed' && this.#open.size > 0;
        if (isTaken) this.#next = this.#options.steps.length;
        else if (!goesOn(probe.step, error)) return this.#secondBest;
      }
    }
  }

  /** The end of some question; `undefined` if the latest one has been silent for long enough. */
  async #firstEnd(): Promise<End | undefined> {
    const ends = [...this.#open].map(({ end }) => end);
    if (this.#isTurn || this.#next >= this.#options.steps.length) return Promise.race(ends);
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<undefined>((resolve) => {
      const look = (): void => {
        const silentMs = this.#challenges > 0 ? 0 : performance.now() - this.#silentSince;
        if (silentMs >= this.#patienceMs) resolve(undefined);
        else timer = setTimeout(look, Math.ceil(this.#patienceMs - silentMs));
      };
      look();
    });
    try {
      return await Promise.race([...ends, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  #askNext(): void {
    const { steps, signal, ask } = this.#options;
    const step = steps[this.#next];
    const leftMs = this.#endsAt - performance.now();
    if (step === undefined || leftMs <= 0 || this.#mustWait(step)) return;
    this.#next++;
    this.#isTurn = false;
    const where = place(step.url);
    const deadline = startDeadline(signal, leftMs, where);
    const probe: Omit<Probe, 'end'> & { end?: Promise<End> } = {
      step,
      http: this.#idle.pop() ?? this.#options.createHttp(this.#onChallenge()),
      deadline,
      askedAt: performance.now(),
      isTaken: step.by === 'initialize',
      told: { url: where, outcome: '' },
    };
    const asking: Asking = {
      http: probe.http,
      signal: deadline.signal,
      onEndpoint: () => this.#taken(probe as Probe),
    };
    const opened = probe as Probe;
    opened.end = ask(step, asking).then(
      (connected) => ({ probe: opened, connected }),
      (cause: unknown) => ({ probe: opened, error: said(cause, deadline.signal) }),
    );
    this.#latest = opened;
    this.#silentSince = opened.askedAt;
    this.#open.add(opened);
    this.#tried.push(opened.told);
  }

  /** Sessions are not made side by side, and a stream with an endpoint is all that is asked. */
  #mustWait({ by }: Step): boolean {
    return [...this.#open].some(
      ({ step, isTaken }) => isTaken && (by === 'initialize' || step.by === 'stream'),
    );
  }

  /** An endpoint is proof enough: `initialize` goes there, and nowhere else. */
  #taken(probe: Probe): void {
    probe.isTaken = true;
    this.#latest = probe;
    for (const other of this.#open) {
      if (other !== probe) void this.#giveUp(other);
    }
  }

  async #refused({ told, http, deadline }: Probe, error: LongwireError): Promise<void> {
    const { signal } = this.#options;
    if (signal.aborted) {
      await http.close();
      throw signal.reason;
    }
    told.outcome = error.summary;
    this.#errors.push(error);
    if (this.#options.onChallenge !== undefined && isUnauthorized(error)) {
      this.#isRefusedForGood = true;
    }
    // What was not answered in time is still open there.
    if (deadline.signal.aborted) await http.close();
    else this.#idle.push(http);
  }

  /** Gives a question up that is open; whatever still comes of it is nobody's. */
  async #giveUp(probe: Probe): Promise<void> {
    const { told, deadline, http, end, askedAt } = probe;
    this.#open.delete(probe);
    const reason = noAnswer(told.url, performance.now() - askedAt);
    told.outcome = reason.summary;
    deadline.done();
    deadline.giveUp(reason);
    const { connected } = await end.catch(() => ({ connected: undefined }));
    await connected?.channel.close();
    await http.close();
  }

  async #dropAll(): Promise<void> {
    const open = [...this.#open].map((probe) => this.#giveUp(probe));
    await Promise.all([...open, ...this.#idle.map((http) => http.close())]);
  }

  /** Puts a challenge to the program: not again once an answer of its was not good enough. */
  #onChallenge(): OnChallenge | undefined {
    const { onChallenge } = this.#options;
    if (onChallenge === undefined) return undefined;
    return async (...challenge) => {
      if (this.#isOver) return onChallenge(...challenge);
      if (this.#isRefusedForGood) return 'fail';
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

/** What ended a question by its signal says more than how the question noticed. */
export function said(cause: unknown, signal?: AbortSignal): LongwireError {
  const error: unknown = signal?.aborted === true ? signal.reason : cause;
  if (!(error instanceof LongwireError)) throw error;
  return error;
}

/** Whether there is something to ask after a question was refused like this. */
function goesOn({ by }: Step, error: LongwireError): boolean {
  if (by === 'discover') return error instanceof HttpStatusError || NO_WORD.has(error.code);
  return isElsewhere(error) || error.code === 'connect-timeout';
}

/** Whether an error says that there is no server of this kind there. */
export function isElsewhere(error: LongwireError): boolean {
  if (error instanceof HttpStatusError) return ELSEWHERE.has(error.status);
  return error.code === 'not-mcp';
}

/** Whether an error says that the credentials are not enough. */
export function isUnauthorized({ code }: LongwireError): boolean {
  return code === 'unauthorized' || code === 'forbidden';
}

function asked({ by }: Step): string {
  if (by === 'stream') return 'GET';
  return by === 'discover' ? 'server/discover' : 'initialize';
}
