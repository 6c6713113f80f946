import type { Readable } from 'node:stream';
import type { CallPicture } from '@longwire/recording';
import type { LineLog } from './line-log.js';
import type { PageChecks } from './page-checks.js';

/** A call that the page asks for. */
export interface CallRequest {
  readonly server: string;
  readonly method: 'tools/call' | 'resources/read' | 'prompts/get';
  /** The tool or the prompt, or the URI of the resource. */
  readonly name: string;
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  /** Somebody was asked, and said yes. */
  readonly confirmed?: boolean | undefined;
}

/** What can be asked of a replay. */
export interface ReplayRequest {
  /** The time to show, in milliseconds since 1970. */
  readonly at?: number | undefined;
  /** How many times as fast as it was. */
  readonly speed?: number | undefined;
  readonly playing?: boolean | undefined;
  /** Goes to the next call that ended, notification or error that fits this filter, and halts there. */
  readonly next?: string | undefined;
}

/** Where a replay is. */
export interface ReplayPosition {
  /** The times of its first and its last line, in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** How much of the file was read, from 0 to 1, while that is not all. */
  readonly read?: number;
  readonly at: number;
  readonly speed: number;
  readonly playing: boolean;
  readonly file: string;
}

/** What the page shows: servers as they are now, or a recording. */
export interface PageSource {
  readonly mode: 'live' | 'replay';
  readonly log: LineLog;
  /** A call with its values as far as they are kept; `undefined` for one that is not known. */
  call(call: number): Promise<CallPicture | undefined>;
  /** What is kept, as a recording. */
  recording(): Readable;
  /** What only servers can do; `undefined` in a replay. */
  readonly servers?: PageServers;
  /** Where a replay is; `undefined` where servers are shown as they are. */
  readonly position?: ReplayPosition;
  /** The file of checks, where servers can be called. */
  readonly checks?: PageChecks | undefined;
  /** What only a replay can do. */
  control?(request: ReplayRequest): Promise<void>;
  close(): Promise<void>;
}

/** What the page asks of servers. Everything throws a PageError where there is no such server. */
export interface PageServers {
  /** Begins a call, and says its number. What comes of it are lines. */
  begin(request: CallRequest): Promise<number>;
  /** Whether there was such a call in flight. */
  cancel(call: number): boolean;
  subscribe(server: string, uri: string, on: boolean): Promise<void>;
  /** Lists what the server has, and connects first where it is away. */
  refresh(server: string): Promise<void>;
}
