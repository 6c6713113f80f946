/** The version of the format that this package writes. */
export const FORMAT_VERSION = 1;

/** The first line of a recording. */
export interface RecordingHeader {
  readonly type: 'recording';
  readonly version: typeof FORMAT_VERSION;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  /** What wrote it, such as `longwire/0.1.0`. */
  readonly by: string;
}

/** The states of a connection, by the words of `@longwire/client`. */
export type StateName = 'idle' | 'connecting' | 'ready' | 'reconnecting' | 'resting' | 'closed';

/** What is certain of a call that failed, by the words of `@longwire/client`. */
export type CertaintyName = 'not-sent' | 'refused' | 'answered' | 'outcome-unknown';

/** An error, without secrets. */
export interface RecordedError {
  /** Such as `connection-lost`; of a server's own error `server-error`. */
  readonly code: string;
  readonly certainty?: CertaintyName;
  /** The number of a JSON-RPC error. */
  readonly number?: number;
  /** One sentence. */
  readonly message: string;
}

/** When something happened, in milliseconds since 1970 with fractions, and to which server. */
interface Stamp {
  readonly at: number;
  readonly server: string;
}

/** A value that was too large to be kept: its beginning as JSON, and how long that is in all. */
export interface CutValue {
  readonly cut: string;
  readonly bytes: number;
}

/** What is known of a server. A later line replaces it, member by member. */
export interface ServerLine extends Stamp {
  readonly type: 'server';
  /** Where it is, without secrets: a URL without its query, or a command's name. */
  readonly target?: string;
  readonly transport?: string;
  readonly protocolVersion?: string;
  /** What it calls itself. */
  readonly info?: { readonly name: string; readonly version: string };
  /** It is not watched any more. */
  readonly removed?: boolean;
}

/** The connection to a server changed. */
export interface StateLine extends Stamp {
  readonly type: 'state';
  readonly state: StateName;
  /** Which dial this is, since the last answer. */
  readonly attempt?: number;
  readonly nextDelayMs?: number;
  /** How long the connection took, once it is `ready`. */
  readonly connectMs?: number;
  /** Whether the session from before was resumed, once it is `ready`. */
  readonly resumed?: boolean;
  /** Why it is not `ready`. */
  readonly reason?: RecordedError;
}

/** A call began. */
export interface CallLine extends Stamp {
  readonly type: 'call';
  /** Its number, of which there is one in a recording. */
  readonly call: number;
  /** Such as `tools/call`. */
  readonly method: string;
  /** The tool or the prompt, or the URI of a resource. */
  readonly name?: string;
  readonly arguments?: unknown;
  /** Who caused it: another call, or what the program says, such as `page` or `workflow`. */
  readonly by?: { readonly call: number } | { readonly who: string };
}

/** A call left: for the first time, or again. What caused the repetition is the `state` before it. */
export interface AttemptLine extends Stamp {
  readonly type: 'attempt';
  readonly call: number;
  /** From 1. */
  readonly attempt: number;
  /** The id of the request on the wire. */
  readonly id?: number | string;
}

/** A call told how far it is. */
export interface ProgressLine extends Stamp {
  readonly type: 'progress';
  readonly call: number;
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** A call is a task of its server, or the task is in another status. */
export interface TaskLine extends Stamp {
  readonly type: 'task';
  readonly call: number;
  /** The id that the server gave it. */
  readonly taskId: string;
  /** Such as `working` or `input_required`, if it is known. */
  readonly status?: string;
}

/** A call ended: with a result, which may be an error of the tool, or with an error. */
export interface EndLine extends Stamp {
  readonly type: 'end';
  readonly call: number;
  readonly outcome: 'result' | 'tool-error' | 'error';
  readonly durationMs: number;
  readonly result?: unknown;
  readonly error?: RecordedError;
}

/** A server said something unasked. */
export interface NotificationLine extends Stamp {
  readonly type: 'notification';
  readonly method: string;
  readonly params?: unknown;
}

/** Something failed that belongs to no call. */
export interface ErrorLine extends Stamp {
  readonly type: 'error';
  readonly error: RecordedError;
}

/** What a server has, as it listed it. A later line of the same kind replaces it. */
export interface CatalogueLine extends Stamp {
  readonly type: 'catalogue';
  readonly kind: 'tools' | 'resources' | 'templates' | 'prompts';
  readonly items: readonly Readonly<Record<string, unknown>>[];
}

/** How a server is, when it was asked. */
export interface HealthLine extends Stamp {
  readonly type: 'health';
  readonly status: 'healthy' | 'degraded' | 'down';
  readonly reason?: string;
  readonly latencyMs?: number;
}

/** A server refused a request for want of credentials, and the client was asked for others. */
export interface AuthorizationLine extends Stamp {
  readonly type: 'authorization';
  /** What the server answered: 401 or 403. */
  readonly status: number;
  /** How long the credentials took, until `at`, in milliseconds. */
  readonly durationMs: number;
  /** `retry`: the request is sent again with them; `fail`: there are none. */
  readonly decision: 'retry' | 'fail';
  readonly error?: RecordedError;
}

/** How many sessions a server has open, where the server itself was watched. */
export interface SessionsLine extends Stamp {
  readonly type: 'sessions';
  readonly open: readonly OpenSessions[];
}

/** Sessions that are alike. */
export interface OpenSessions {
  readonly transport: string;
  /** Missing until client and server have agreed on one. */
  readonly protocolVersion?: string;
  readonly count: number;
}

/** A JSON-RPC message left, or came. */
export interface MessageLine extends Stamp {
  readonly type: 'message';
  readonly direction: 'sent' | 'received';
  /** How long it is on the wire. */
  readonly bytes: number;
  /** Missing in an answer. */
  readonly method?: string;
  /** Missing in a notification. */
  readonly id?: number | string;
  /** Its `params`, `result` or `error`. */
  readonly body?: unknown;
}

/** An HTTP request left, the head of its response came, or it is over. */
export interface ExchangeLine extends Stamp {
  readonly type: 'exchange';
  readonly phase: 'sent' | 'answered' | 'ended';
  /** Its number, of which a server has one in a recording. */
  readonly exchange: number;
  readonly method: string;
  /** Without its query. */
  readonly url: string;
  /** The id of the message that it carries, if that has one. */
  readonly id?: number | string;
  readonly status?: number;
  readonly contentType?: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Since it was begun. */
  readonly elapsedMs: number;
  readonly error?: RecordedError;
}

/** The process of a server was started, or has exited. */
export interface ProcessLine extends Stamp {
  readonly type: 'process';
  readonly phase: 'started' | 'exited';
  readonly pid: number;
  readonly command: string;
  readonly exitCode?: number;
  readonly signal?: string;
}

/** The process of a server wrote a line that is no message. */
export interface OutputLine extends Stamp {
  readonly type: 'output';
  readonly from: 'stderr' | 'stdout';
  readonly line: string;
}

/** Lines that were dropped here, because nobody could keep up. */
export interface GapLine {
  readonly type: 'gap';
  readonly at: number;
  readonly count: number;
}

/** One line of a recording, after the first. */
export type RecordedLine =
  | ServerLine
  | StateLine
  | CallLine
  | AttemptLine
  | ProgressLine
  | TaskLine
  | EndLine
  | NotificationLine
  | ErrorLine
  | CatalogueLine
  | HealthLine
  | AuthorizationLine
  | SessionsLine
  | MessageLine
  | ExchangeLine
  | ProcessLine
  | OutputLine
  | GapLine;
