import type { CertaintyName, StateName } from './format.js';

/** How far a call is, as its server says. */
export interface RecordableProgress {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

// Written as a method, so that a listener of a narrower type fits.
type OnProgress = { listen(progress: RecordableProgress): void }['listen'];

/** What is recorded of a request: that of a middleware of `@longwire/client` is one. */
export interface RecordableRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly internal: boolean;
  /** The task that the call has become. */
  readonly taskId?: string | undefined;
  readonly signal: AbortSignal;
  readonly route?: { readonly id: number | string } | undefined;
  onSent?: (() => void) | undefined;
  onProgress?: OnProgress | undefined;
  redact(text: string): string;
  abort(error: Error): void;
}

/** What answers for authentication: the option `auth` of a client of `@longwire/client` is such a thing. */
export interface RecordableAuth {
  readonly headers?: unknown;
  // `never`, so that a function of any challenge fits.
  readonly onChallenge?:
    ((status: 401 | 403, headers: never, request: never) => unknown) | undefined;
}

/** The response to a request: that of a middleware of `@longwire/client` is one. */
export interface RecordableResponse {
  readonly result: unknown;
}

/** A middleware of `@longwire/client`. */
export interface RecordingMiddleware {
  <Response extends RecordableResponse>(
    request: RecordableRequest,
    next: () => Promise<Response>,
  ): Promise<Response>;
  readonly addsNoIdentity: true;
}

/** An error of `@longwire/client`, by its members. */
export interface RecordableError {
  readonly message: string;
  readonly summary?: string;
  readonly code?: string;
  readonly certainty?: CertaintyName;
  readonly number?: number;
}

/** The state of a connection: that of a client of `@longwire/client` is one. */
export interface RecordableState {
  readonly name: StateName;
  readonly attempt?: number;
  readonly nextDelayMs?: number;
  readonly connectMs?: number;
  readonly resumed?: boolean;
  readonly transport?: string;
  readonly address?: string;
  readonly reason?: RecordableError;
}

/** What passes between a client and its server, as the option `observe` of a client is told it. */
export type RecordableWireEvent =
  | {
      readonly type: 'message';
      readonly direction: 'sent' | 'received';
      readonly message: object;
      readonly bytes: number;
    }
  | {
      readonly type: 'exchange';
      readonly phase: 'sent' | 'answered' | 'ended';
      readonly exchange: number;
      readonly method: string;
      readonly url: string;
      readonly message: object | undefined;
      readonly bytesSent: number;
      readonly status: number | undefined;
      readonly contentType: string | undefined;
      readonly bytesReceived: number;
      readonly elapsedMs: number;
      readonly error: RecordableError | undefined;
    }
  | {
      readonly type: 'process';
      readonly phase: 'started' | 'exited';
      readonly pid: number;
      readonly command: string;
      readonly exitCode: number | undefined;
      readonly signal: string | undefined;
    }
  | { readonly type: 'output'; readonly from: 'stderr' | 'stdout'; readonly line: string };

/** What a client reports, by event name. */
export interface RecordableEvents {
  state: RecordableState;
  notification: { readonly method: string; readonly params?: unknown };
  error: RecordableError;
  toolsChanged: undefined;
}

/** What is recorded of a client: one of `@longwire/client` is one. */
export interface RecordableClient {
  readonly state: RecordableState;
  readonly protocolVersion?: string | undefined;
  readonly server?: { readonly name: string; readonly version: string } | undefined;
  on<Event extends keyof RecordableEvents>(
    event: Event,
    listener: (payload: RecordableEvents[Event]) => void,
  ): () => void;
}

/** What a group reports, by event name: the events of its clients, and of which server. */
export interface RecordableGroupEvents {
  state: { readonly server: string; readonly state: RecordableState };
  notification: RecordableEvents['notification'] & { readonly server: string };
  error: { readonly server: string; readonly error: RecordableError };
}

/** What is recorded of a group: one of `@longwire/client/group` is one. */
export interface RecordableGroup {
  status(): readonly {
    readonly name: string;
    readonly target: string;
    readonly state: StateName;
  }[];
  on<Event extends keyof RecordableGroupEvents>(
    event: Event,
    listener: (payload: RecordableGroupEvents[Event]) => void,
  ): () => void;
}
