import type {
  CallLine,
  CatalogueLine,
  HealthLine,
  NotificationLine,
  RecordedLine,
  ServerLine,
  SessionsLine,
  StateLine,
} from './format.js';
import type {
  RecordableAuth,
  RecordableClient,
  RecordableGroup,
  RecordableWireEvent,
  RecordingMiddleware,
} from './recordable.js';

/** Options of `createRecorder`. */
export interface RecorderOptions {
  /**
   * Takes each line, in order. It is called while calls are made, and must be quick. What it throws is
   * ignored, and the lines that it did not take are counted in a `gap` line once it takes lines again.
   */
  write: (line: RecordedLine) => void;
  /** The time, in milliseconds since 1970 with fractions. Default: the clock of the day. */
  now?: () => number;
  /**
   * How many bytes an argument, a result or the params of a notification may take as JSON. Of what is
   * larger the beginning is kept. Default 1 MiB.
   */
  maxValueBytes?: number;
  /**
   * Says who caused a call. It is called when the call begins, in the async context in which the call
   * was made. Default: nobody knows.
   */
  by?: (call: number) => CallLine['by'] | undefined;
}

/** Turns what clients and groups of `@longwire/client` do into the lines of a recording. */
export interface Recorder {
  /**
   * A middleware that records the program's calls to one server. It comes first in the list of a client:
   * calls that a cache answers are then recorded, too, and a `retry` is one call. It changes no request.
   */
  middleware(server: string): RecordingMiddleware;
  /** Records the connection, the notifications and the errors of a client; the function returned stops that. */
  watch(watched: { readonly name: string; readonly client: RecordableClient }): () => void;
  /** As `watch`, for all servers of a group. */
  watchGroup(group: RecordableGroup): () => void;
  /**
   * Records what passes between a client and its server, beside its calls: given as the option `observe` of
   * the client.
   */
  observe(server: string): (event: RecordableWireEvent) => void;
  /** Records a state of what is not a client, such as a server. */
  state(state: Omit<StateLine, 'type' | 'at'>): void;
  /** Records what a server said that is not watched by its client. */
  notification(said: Omit<NotificationLine, 'type' | 'at'>): void;
  /** Records what is known of a server. */
  server(known: Omit<ServerLine, 'type' | 'at'>): void;
  /** Records what a server listed. */
  catalogue(listed: Omit<CatalogueLine, 'type' | 'at'>): void;
  /** Records how a server is. */
  health(health: Omit<HealthLine, 'type' | 'at'>): void;
  /** Records how many sessions a server has. */
  sessions(sessions: Omit<SessionsLine, 'type' | 'at'>): void;
  /**
   * Records how a client authorizes itself: given its option `auth`, returns what to use as that. It answers
   * the same.
   */
  auth<Auth extends RecordableAuth>(server: string, auth: Auth): Pick<Auth, keyof RecordableAuth>;
  /** Ends a call in flight with this error. Returns `false` if no such call is in flight. */
  cancel(call: number, error: Error): boolean;
}
