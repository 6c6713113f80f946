import type { Random } from '@longwire/testing';

/** What a request is for. */
export type Purpose = 'connect' | 'list' | 'call' | 'task' | 'other';

/** The request whose answer is mutated. */
export interface About {
  readonly purpose: Purpose;
  readonly method: string;
  readonly id: unknown;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The head and the body of one HTTP response. */
export interface Reply {
  status: number;
  headers: [name: string, value: string][];
  body: Buffer;
}

/** One step of what a server does on a connection. */
export type Step =
  | { do: 'write'; bytes: Buffer }
  | { do: 'wait'; ms: number }
  /** Closes the connection, with a FIN or with a RST. */
  | { do: 'end' | 'reset' }
  /** Says nothing more on the connection, and keeps it open. */
  | { do: 'hang' };

/**
 * What an answer goes through on its way out, in this order. A level of the grammar mutates one of
 * these.
 */
export interface Parts {
  /** The result of `initialize` or `server/discover`. */
  handshake: unknown;
  /** The result of a list. */
  list: unknown;
  /** The result of `tools/list`, for the schemas in it. */
  schema: unknown;
  /** The result of a call, and of whatever else is asked. */
  call: unknown;
  /** What makes a task, and what is said of one. */
  task: unknown;
  /** The JSON-RPC messages that answer one request. */
  rpc: unknown[];
  /** The text of one message. */
  json: string;
  /** One server-sent event. */
  sse: string;
  /** Bytes of a body, an event or a line. */
  bytes: Buffer;
  /** An HTTP response before it is written. */
  http: Reply;
  /** An HTTP response, or one chunk of it, as it goes over the wire. */
  wire: Buffer;
  /** When it is written. */
  timing: Step[];
}

export type Level = keyof Parts;

/** Makes something odd out of a part of an answer. The same random numbers give the same. */
export type Mutate<Part> = (part: Part, random: Random, about: About) => Part;

/** How often a mutation is chosen in proportion to others of its level. Default 1. */
export interface Weighed<Part> {
  weight: number;
  mutate: Mutate<Part>;
}

/** Mutations by name. */
export type Table<Part> = Readonly<Record<string, Mutate<Part> | Weighed<Part>>>;

/** For a mutation that costs seconds and megabytes. */
export function seldom<Part>(mutate: Mutate<Part>): Weighed<Part> {
  return { weight: 0.1, mutate };
}

/** One of them. */
export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

/** Whether a value is an object with properties. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value with one property more, or another one; what has no properties stays as it is. */
export function withProperty(value: unknown, name: string, property: unknown): unknown {
  return isObject(value) ? { ...value, [name]: property } : value;
}

/** So many bytes of any kind. */
export function randomFill(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.below(256)));
}
