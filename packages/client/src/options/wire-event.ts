import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
import type { HttpMethod } from './channel-options.js';

/** A JSON-RPC message leaves or has come. What is sent again is told again. */
export interface WireMessage {
  type: 'message';
  direction: 'sent' | 'received';
  /** As it passed, secrets included; to be read only. */
  message: JSONRPCMessage;
  /** How long its text is in UTF-8; 0 for a server in this process. */
  bytes: number;
}

/**
 * An HTTP request and its response, at three moments: it leaves, the head of the response has come, it
 * is over. A request that finds no connection is over at once.
 */
export interface WireExchange {
  type: 'exchange';
  phase: 'sent' | 'answered' | 'ended';
  /** The same in all events of one exchange; no other exchange of the process has it. */
  exchange: number;
  method: HttpMethod;
  /** Without user info and query, which may hold secrets. */
  url: string;
  /** The message that the body of the request carries; `undefined` if it carries none. */
  message: JSONRPCMessage | undefined;
  /** The body of the request, in bytes. */
  bytesSent: number;
  /** Of the response; `undefined` until its head has come. */
  status: number | undefined;
  /** Of the response; `undefined` if it names none. */
  contentType: string | undefined;
  /** The body of the response so far, in bytes as they came. */
  bytesReceived: number;
  /** Since the request was made, the connection for it included. */
  elapsedMs: number;
  /** Why it ended, unless the response is complete and its status 2xx. */
  error: LongwireError | undefined;
}

/** The process of a stdio server was started, or has exited and all that it wrote was told. */
export interface WireProcess {
  type: 'process';
  phase: 'started' | 'exited';
  pid: number;
  /** The command line, at most 200 characters of it. */
  command: string;
  /** Once it has exited by itself; `undefined` before, and if a signal ended it. */
  exitCode: number | undefined;
  /** The signal that ended it. */
  signal: string | undefined;
}

/** A line that a stdio server wrote and that is no message; blank lines are left out. */
export interface WireOutput {
  type: 'output';
  from: 'stderr' | 'stdout';
  pid: number;
  /** At most 16 384 characters of it; control sequences included. */
  line: string;
}

/** What passes between the client and its server. */
export type WireEvent = WireMessage | WireExchange | WireProcess | WireOutput;

/** Called with what passes, while it passes. What it throws is ignored. */
export type WireObserver = (event: WireEvent) => void;
