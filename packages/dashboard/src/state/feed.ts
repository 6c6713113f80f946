import { signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { Picture, type PictureData, type RecordedLine } from '@longwire/recording';
import { formatDuration } from '@longwire/recording/shown';

/** What a feed needs of the browser's `EventSource`. */
export interface EventSourceLike {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void;
  close(): void;
}

/** Whether what the page shows is what happens now. */
export type Liveness =
  | { readonly state: 'connecting' | 'live'; readonly since: number }
  | { readonly state: 'not-live'; readonly since: number; readonly why: string };

/** Where a replay is. */
export interface ReplayPosition {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly speed: number;
  readonly playing: boolean;
  readonly file: string;
  /** How much of the file was read, below 1; missing when that is all. */
  readonly read?: number;
}

/** What the page may do, and what it is shown. */
export interface Shows {
  /** Whether it may call the servers, and cancel calls. */
  readonly canCall: boolean;
  /** Whether arguments, results and what servers say are kept. */
  readonly hasValues: boolean;
}

/** What a feed is made with. */
export interface FeedOptions {
  readonly open: () => EventSourceLike;
  /** Runs this once, before the next picture is drawn. */
  readonly beforeDraw: (run: () => void) => void;
  /** Why the server says nothing, when the stream was refused. */
  readonly diagnose: () => Promise<string>;
  /** Default: `Date.now`. */
  readonly now?: () => number;
}

/** The parts of a picture that are drawn apart from each other. */
export type Part = 'servers' | 'calls' | 'events' | 'catalogue';

const CLOSED = 2;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 10_000;
/** The server sends a beat every 10 seconds. */
const SILENT_MS = 25_000;
const TICK_MS = 1_000;

/** Which parts a kind of line changes. */
const PARTS: Readonly<Record<RecordedLine['type'], readonly Part[]>> = {
  server: ['servers'],
  state: ['servers'],
  call: ['servers', 'calls'],
  attempt: ['calls'],
  progress: ['calls'],
  task: ['calls'],
  end: ['servers', 'calls'],
  notification: ['servers', 'events'],
  error: ['servers', 'events'],
  catalogue: ['servers', 'catalogue'],
  health: ['servers'],
  authorization: ['servers'],
  sessions: ['servers'],
  message: [],
  exchange: [],
  process: [],
  output: [],
  gap: ['servers', 'events'],
};

/**
 * Keeps a picture up to date with the page's server. The picture itself is no signal: it changes with
 * each line, and whoever draws it reads the version of its part, which changes at most once a frame.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #now: () => number;
  readonly #liveness: Signal<Liveness>;
  readonly #replay = signal<ReplayPosition | undefined>(undefined);
  readonly #shows = signal<Shows>({ canCall: false, hasValues: true });
  readonly #versions: Readonly<Record<Part, Signal<number>>> = {
    servers: signal(0),
    calls: signal(0),
    events: signal(0),
    catalogue: signal(0),
  };
  readonly #changed = new Set<Part>();
  #picture = new Picture();
  #source: EventSourceLike | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ticks: ReturnType<typeof setInterval> | undefined;
  #delayMs = FIRST_DELAY_MS;
  /** How far the clock of the page's server is ahead of this one. */
  #aheadMs = 0;
  #heardAt = 0;
  #isStopped = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#liveness = signal({ state: 'connecting', since: this.#now() });
  }

  /** The picture of now. Another one after each snapshot. */
  get picture(): Picture {
    return this.#picture;
  }

  get liveness(): ReadonlySignal<Liveness> {
    return this.#liveness;
  }

  /** Where the replay is; `undefined` where the page shows what happens. */
  get replay(): ReadonlySignal<ReplayPosition | undefined> {
    return this.#replay;
  }

  /** What time it is by the clock of the page's server, which the times of the picture are by. */
  get serverTime(): number {
    return this.#now() + this.#aheadMs;
  }

  /** What the page may do, as its server says. */
  get shows(): ReadonlySignal<Shows> {
    return this.#shows;
  }

  /** Counts the changes of one part. */
  version(part: Part): ReadonlySignal<number> {
    return this.#versions[part];
  }

  /** Opens the stream, and again until `stop`. */
  start(): void {
    this.#open();
    this.#ticks = setInterval(() => this.#listen(), TICK_MS);
  }

  /** Closes the stream for good. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#ticks);
    clearTimeout(this.#retry);
    this.#source?.close();
  }

  /** Opens the stream anew, at once. */
  reopen(why: string): void {
    this.#lose(why);
    this.#delayMs = FIRST_DELAY_MS;
    this.#open();
  }

  #open(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    if (this.#isStopped) return;
    this.#heardAt = this.#now();
    const source = this.#options.open();
    this.#source = source;
    const on = (type: string, take: (data: unknown) => void): void =>
      source.addEventListener(type, ({ data }) => {
        if (this.#source !== source) return;
        this.#heardAt = this.#now();
        take(typeof data === 'string' && data !== '' ? JSON.parse(data) : undefined);
      });
    on('snapshot', (data) => this.#begin(data));
    on('lines', (data) => this.#take(data));
    on('replay', (data) => {
      this.#replay.value = data as ReplayPosition;
    });
    on('open', () => this.#goLive());
    // It only says that the connection is alive, which comments of a stream do not tell a page.
    on('beat', () => undefined);
    on('bye', () => this.#lose('The server of this page ended.'));
    on('error', () => this.#fail(source));
  }

  /** A connection can die without a word, such as while the machine sleeps. */
  #listen(): void {
    const silentMs = this.#now() - this.#heardAt;
    if (silentMs < SILENT_MS) return;
    this.#lose(`Its server was silent for ${formatDuration(silentMs)}.`, this.#heardAt);
    this.#open();
  }

  #begin(data: unknown): void {
    const { at, mode, canCall, hasValues, replay, picture } = data as Shows & {
      at: number;
      mode: 'live' | 'replay';
      replay?: ReplayPosition;
      picture: PictureData;
    };
    this.#aheadMs = at - this.#now();
    this.#picture = Picture.from(picture);
    this.#shows.value = { canCall, hasValues };
    this.#replay.value = mode === 'replay' ? replay : undefined;
    this.#goLive();
    this.#mark(Object.keys(this.#versions) as Part[]);
  }

  #take(data: unknown): void {
    for (const line of data as readonly RecordedLine[]) {
      this.#picture.apply(line);
      // A line of a kind that this page does not know yet changes nothing.
      this.#mark(PARTS[line.type] ?? []);
    }
  }

  #goLive(): void {
    this.#delayMs = FIRST_DELAY_MS;
    if (this.#liveness.value.state === 'live') return;
    this.#liveness.value = { state: 'live', since: this.#now() };
  }

  #fail(source: EventSourceLike): void {
    this.#lose('The server of this page does not answer.');
    // While it is not closed, the browser connects again by itself, and resumes.
    if (source.readyState !== CLOSED || this.#isStopped) return;
    this.#retry = setTimeout(() => this.#open(), this.#delayMs);
    this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS);
    void this.#options.diagnose().then((why) => {
      const { value } = this.#liveness;
      if (value.state === 'not-live') this.#liveness.value = { ...value, why };
    });
  }

  #lose(why: string, since: number = this.#now()): void {
    if (this.#liveness.value.state === 'not-live') return;
    this.#liveness.value = { state: 'not-live', since, why };
  }

  #mark(parts: readonly Part[]): void {
    if (parts.length > 0 && this.#changed.size === 0) {
      this.#options.beforeDraw(() => this.#tell());
    }
    for (const part of parts) this.#changed.add(part);
  }

  #tell(): void {
    for (const part of this.#changed) this.#versions[part].value++;
    this.#changed.clear();
  }
}
