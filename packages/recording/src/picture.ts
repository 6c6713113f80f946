import type {
  AttemptLine,
  AuthorizationLine,
  CallLine,
  CatalogueLine,
  CertaintyName,
  EndLine,
  ErrorLine,
  HealthLine,
  NotificationLine,
  OpenSessions,
  ProgressLine,
  RecordedError,
  RecordedLine,
  ServerLine,
  StateLine,
  StateName,
  TaskLine,
} from './format.js';
import type { CallPicture } from './call-picture.js';
import { kept } from './kept.js';
import { Latencies } from './latencies.js';
import { Seconds } from './seconds.js';
import { afterCall, afterNotification, type Subscription } from './subscriptions.js';

export type { AttemptPicture, CallPicture } from './call-picture.js';

/** How much a picture keeps. What is in flight is kept whatever the limits. */
export interface PictureLimits {
  /** Calls that have ended, of all servers. Default 10 000. */
  readonly maxCalls?: number;
  /** Notifications and errors, of all servers. Default 10 000. */
  readonly maxEvents?: number;
  /** Changes of the state, of each server. Default 1 000. */
  readonly maxStates?: number;
}

/** A time that a connection was in one state. */
export interface StatePicture {
  readonly state: StateName;
  readonly from: number;
  /** Missing while it lasts. */
  to?: number;
  readonly attempt?: number;
  readonly reason?: RecordedError;
}

/** A notification or an error, and its place among all of them. */
export type EventPicture = (NotificationLine | ErrorLine) & { readonly seq: number };

/** How many calls ended how. */
export interface Totals {
  calls: number;
  toolErrors: number;
  /** Errors by what is certain of their calls. */
  readonly errors: Record<CertaintyName, number>;
  events: number;
  reconnects: number;
}

/** What is known of a server now, and what it did. */
export interface ServerPicture {
  readonly name: string;
  /** The newest of each member of its `server` lines. */
  readonly known: Partial<Omit<ServerLine, 'type' | 'at' | 'server'>>;
  /** The newest last; the last one is the state of now. */
  readonly states: StatePicture[];
  /** The newest last. */
  readonly authorizations: AuthorizationLine[];
  readonly health?: Omit<HealthLine, 'type' | 'server'>;
  readonly catalogue: Partial<Record<CatalogueLine['kind'], CatalogueLine['items']>>;
  /** The resources that it was asked to tell changes of, and accepted. A new session is asked again. */
  readonly subscriptions: readonly Subscription[];
  /** Its open sessions; missing where its clients are watched, and not the server. */
  readonly sessions?: readonly OpenSessions[];
  readonly inFlight: number;
  readonly totals: Totals;
  /** Of calls that were answered. */
  readonly latencies: Latencies;
  /** The same by tool. */
  readonly latenciesOf: ReadonlyMap<string, Latencies>;
  /** Calls that ended, and events, by second. */
  readonly seconds: Seconds;
}

type OpenServer = { -readonly [Key in keyof ServerPicture]: ServerPicture[Key] } & {
  latenciesOf: Map<string, Latencies>;
  known: Partial<Record<string, unknown>>;
};

/** A picture as JSON can hold it. */
export interface PictureData {
  readonly servers: readonly Readonly<Record<string, unknown>>[];
  readonly calls: readonly CallPicture[];
  readonly events: readonly EventPicture[];
  readonly seq: number;
  readonly at: number;
  readonly lost: number;
}

/** Authorizations that are kept, of each server. */
const MAX_AUTHORIZATIONS = 200;
/** Tools whose latencies are kept apart, of each server. */
const MAX_TOOLS = 500;
/** Lines of further servers are counted as lost. */
const MAX_SERVERS = 1000;

/**
 * What the lines of a recording come to: servers, calls, events. The page and `top` are drawn of it, and
 * nothing else keeps count. Its memory is bounded, however long it goes on.
 */
export class Picture {
  readonly #limits: Required<PictureLimits>;
  readonly #servers = new Map<string, OpenServer>();
  readonly #inFlight = new Map<number, CallPicture>();
  #ended: CallPicture[] = [];
  #events: EventPicture[] = [];
  #seq = 0;
  #at = 0;
  #lost = 0;

  constructor({ maxCalls = 10_000, maxEvents = 10_000, maxStates = 1_000 }: PictureLimits = {}) {
    this.#limits = { maxCalls, maxEvents, maxStates };
  }

  /** The time of the newest line, in milliseconds since 1970; 0 before the first. */
  get at(): number {
    return this.#at;
  }

  /** How many lines were dropped on the way. */
  get lost(): number {
    return this.#lost;
  }

  get servers(): ReadonlyMap<string, ServerPicture> {
    return this.#servers;
  }

  /** Calls in flight, the oldest first. */
  get inFlight(): Iterable<CallPicture> {
    return this.#inFlight.values();
  }

  /** Calls that ended, in the order of their ends. */
  get ended(): readonly CallPicture[] {
    return this.#ended;
  }

  /** Notifications and errors, the oldest first. */
  get events(): readonly EventPicture[] {
    return this.#events;
  }

  /** A call by its number, as long as it is kept. */
  find(call: number): CallPicture | undefined {
    return this.#inFlight.get(call) ?? this.#ended.findLast((ended) => ended.call === call);
  }

  /** Takes the next line. */
  apply(line: RecordedLine): void {
    this.#at = Math.max(this.#at, line.at);
    if (line.type === 'gap') {
      this.#lost += line.count;
      return;
    }
    const server = this.#serverOf(line.server);
    if (server === undefined) {
      this.#lost++;
      return;
    }
    switch (line.type) {
      case 'server':
        return this.#describe(server, line);
      case 'state':
        return this.#enter(server, line);
      case 'call':
        return this.#begin(server, line);
      case 'attempt':
        return this.#send(server, line);
      case 'progress':
        return this.#tell(line);
      case 'task':
        return this.#becomeTask(line);
      case 'end':
        return this.#end(line);
      case 'notification':
      case 'error':
        return this.#note(server, line);
      case 'catalogue':
        server.catalogue[line.kind] = line.items;
        return;
      case 'authorization':
        server.authorizations = kept(server.authorizations, line, MAX_AUTHORIZATIONS);
        return;
      case 'health': {
        const { type: _type, server: _server, ...health } = line;
        server.health = health;
        return;
      }
      case 'sessions':
        server.sessions = line.open;
        return;
      // What passed on the wire comes to what the other lines say.
      default:
        return;
    }
  }

  /** As data, of which `from` makes an equal picture. */
  toJSON(): PictureData {
    return {
      servers: [...this.#servers.values()].map((server) => ({
        ...server,
        latencies: server.latencies.counts,
        latenciesOf: [...server.latenciesOf].map(([tool, { counts }]) => [tool, counts]),
        seconds: server.seconds.data,
      })),
      calls: [...this.#ended, ...this.#inFlight.values()],
      events: this.#events,
      seq: this.#seq,
      at: this.#at,
      lost: this.#lost,
    };
  }

  /** The picture that was written with `toJSON`. */
  static from(data: PictureData, limits?: PictureLimits): Picture {
    const { servers, calls } = data;
    return Picture.owning({ ...data, ...structuredClone({ servers, calls }) }, limits);
  }

  /** As `from`, without a copy: the data must not be used, or changed, by anything else from then on. */
  static owning(data: PictureData, limits?: PictureLimits): Picture {
    const picture = new Picture(limits);
    for (const given of data.servers) {
      const { latencies, latenciesOf, seconds } = given as unknown as {
        latencies: number[];
        latenciesOf: [string, number[]][];
        seconds: Seconds['data'];
      };
      picture.#servers.set(String(given['name']), {
        ...(given as unknown as OpenServer),
        latencies: new Latencies(latencies),
        latenciesOf: new Map(latenciesOf.map(([tool, counts]) => [tool, new Latencies(counts)])),
        seconds: new Seconds(seconds),
      });
    }
    for (const call of data.calls) {
      if (call.end === undefined) picture.#inFlight.set(call.call, call);
      else picture.#ended.push(call);
    }
    picture.#events = [...data.events];
    picture.#seq = data.seq;
    picture.#at = data.at;
    picture.#lost = data.lost;
    return picture;
  }

  #serverOf(name: string): OpenServer | undefined {
    let server = this.#servers.get(name);
    if (server === undefined) {
      if (this.#servers.size >= MAX_SERVERS) return undefined;
      server = {
        name,
        known: {},
        states: [],
        authorizations: [],
        catalogue: {},
        subscriptions: [],
        inFlight: 0,
        totals: {
          calls: 0,
          toolErrors: 0,
          errors: { 'not-sent': 0, refused: 0, answered: 0, 'outcome-unknown': 0 },
          events: 0,
          reconnects: 0,
        },
        latencies: new Latencies(),
        latenciesOf: new Map(),
        seconds: new Seconds(),
      };
      this.#servers.set(name, server);
    }
    return server;
  }

  #describe(
    server: OpenServer,
    { type: _type, at: _at, server: _name, ...known }: ServerLine,
  ): void {
    server.known = { ...server.known, ...known };
  }

  #enter(server: OpenServer, { at, state, attempt, reason }: StateLine): void {
    const { states, totals } = server;
    const last = states.at(-1);
    if (last !== undefined) last.to = at;
    // A client that begins, or ends for good, has subscribed to nothing.
    if (state === 'idle' || state === 'closed') server.subscriptions = [];
    if (state === 'ready' && states.some((one) => one.state === 'ready')) totals.reconnects++;
    states.push({
      state,
      from: at,
      ...(attempt !== undefined && { attempt }),
      ...(reason !== undefined && { reason }),
    });
    if (states.length > this.#limits.maxStates) states.shift();
  }

  #begin(server: OpenServer, { type: _type, ...line }: CallLine): void {
    // Of a recording that was gone on with the end of the one before is not known.
    const before = this.#inFlight.get(line.call);
    const former = before === undefined ? undefined : this.#servers.get(before.server);
    if (former !== undefined) former.inFlight--;
    this.#inFlight.delete(line.call);
    this.#inFlight.set(line.call, { ...line, attempts: [] });
    server.inFlight++;
  }

  #send(server: OpenServer, { call: number, attempt, at, id }: AttemptLine): void {
    const call = this.#inFlight.get(number);
    if (call === undefined) return;
    const before = call.attempts.at(-1);
    // The first: what failed after it were dials, which the call waited for.
    const loss =
      before && server.states.find(({ from, reason }) => reason !== undefined && from >= before.at);
    call.attempts.push({
      attempt,
      at,
      ...(id !== undefined && { id }),
      ...(loss?.reason !== undefined && { cause: loss.reason, lostAt: loss.from }),
    });
  }

  #tell({ call: number, at, progress, total, message }: ProgressLine): void {
    const call = this.#inFlight.get(number);
    if (call === undefined) return;
    call.progress = {
      at,
      progress,
      ...(total !== undefined && { total }),
      ...(message !== undefined && { message }),
    };
  }

  #becomeTask({ call: number, at, taskId, status }: TaskLine): void {
    const call = this.#inFlight.get(number);
    if (call === undefined) return;
    const since = call.task?.taskId === taskId ? call.task.at : at;
    call.task = { at: since, taskId, ...(status !== undefined && { status }) };
  }

  #end(line: EndLine): void {
    const call = this.#inFlight.get(line.call);
    const server = call === undefined ? undefined : this.#servers.get(call.server);
    if (call === undefined || server === undefined) return;
    const { type: _type, call: _call, server: _server, ...end } = line;
    call.end = end;
    this.#inFlight.delete(line.call);
    this.#ended = kept(this.#ended, call, this.#limits.maxCalls);
    const { totals, seconds } = server;
    // Of a server that was watched itself they are those of many clients.
    if (server.sessions === undefined) {
      server.subscriptions = afterCall(server.subscriptions, call);
    }
    server.inFlight--;
    totals.calls++;
    if (end.outcome === 'tool-error') totals.toolErrors++;
    if (end.outcome === 'error') totals.errors[end.error?.certainty ?? 'answered']++;
    seconds.count(line.at, end.outcome === 'result' ? 'calls' : 'errors');
    if (end.outcome === 'error' && end.error?.certainty !== 'answered') return;
    server.latencies.add(line.durationMs);
    if (call.method !== 'tools/call' || call.name === undefined) return;
    let latencies = server.latenciesOf.get(call.name);
    if (latencies === undefined) {
      if (server.latenciesOf.size >= MAX_TOOLS) return;
      server.latenciesOf.set(call.name, (latencies = new Latencies()));
    }
    latencies.add(line.durationMs);
  }

  #note(server: OpenServer, line: NotificationLine | ErrorLine): void {
    this.#events = kept(this.#events, { ...line, seq: ++this.#seq }, this.#limits.maxEvents);
    if (line.type === 'notification') {
      server.subscriptions = afterNotification(server.subscriptions, line);
    }
    server.totals.events++;
    server.seconds.count(line.at, 'events');
  }
}
