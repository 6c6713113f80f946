import { connect, type ClientOptions } from '@longwire/client';
import { Client as Client2, SSEClientTransport as Sse2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as Sse1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { EventSource as NpmEventSource } from 'eventsource';
import { randomBytes } from 'node:crypto';
import { EventSource as UndiciEventSource } from 'undici';
import { openPlain, type EventSourceClass } from './plain-client.ts';
import { fetchAgain } from './posting.ts';

/** A client whose connection is cut. */
export interface Caller extends AsyncDisposable {
  /** The text of the result of `read` or `write`. */
  call(name: 'read' | 'write', key: string): Promise<string>;
}

/** Opens a client of the server whose origin this is. */
export type OpenCaller = (origin: string) => Promise<Caller>;

const IDENTITY = { name: 'test', version: '0' };
/** Longer than a machine is busy. */
const CALL_MS = 60_000;

/** 32 random bytes, as a client chooses them that cannot send `Last-Event-ID`. */
const resumeUrl = (origin: string): URL =>
  new URL(`${origin}/sse?resume=${randomBytes(32).toString('hex')}`);

/** The text of a result of the protocol. */
export function textOf(result: unknown): string {
  const { content } = result as { content?: { text?: string }[] };
  return content?.[0]?.text ?? JSON.stringify(result);
}

const sdk1: OpenCaller = async (origin) => {
  const client = new Client1(IDENTITY);
  await client.connect(new Sse1(resumeUrl(origin), { fetch: fetchAgain }));
  return {
    call: async (name, key) =>
      textOf(await client.callTool({ name, arguments: { key } }, undefined, { timeout: CALL_MS })),
    [Symbol.asyncDispose]: () => client.close(),
  };
};

const sdk2: OpenCaller = async (origin) => {
  const client = new Client2(IDENTITY, { versionNegotiation: { mode: 'legacy' } });
  await client.connect(new Sse2(resumeUrl(origin), { fetch: fetchAgain }));
  return {
    call: async (name, key) =>
      textOf(await client.callTool({ name, arguments: { key } }, { timeout: CALL_MS })),
    [Symbol.asyncDispose]: () => client.close(),
  };
};

const plain =
  (Class: EventSourceClass): OpenCaller =>
  async (origin) => {
    const client = await openPlain(`${origin}/sse`, Class);
    return {
      call: async (name, key) =>
        textOf(await client.request('tools/call', { name, arguments: { key } })),
      [Symbol.asyncDispose]: async () => client.close(),
    };
  };

/** As the others, which try as often as it takes: a call may be cut many times. */
const retry = { maxAttempts: 100, firstDelayMs: 5, maxDelayMs: 100 };

const longwire =
  (path: string, options?: ClientOptions): OpenCaller =>
  async (origin) => {
    const client = await connect(origin + path, { ...options, retry });
    return {
      call: async (name, key) => textOf(await client.callTool(name, { key })),
      [Symbol.asyncDispose]: () => client.close(),
    };
  };

/** Everyone who outlives a cut, and with what. */
export const CALLERS: readonly (readonly [name: string, open: OpenCaller])[] = [
  ['the official client 1.x, by a resume key', sdk1],
  ['the official client 2.x, by a resume key', sdk2],
  ['the EventSource of npm, by Last-Event-ID', plain(NpmEventSource)],
  ['the EventSource of undici, by Last-Event-ID', plain(UndiciEventSource)],
  ["Longwire's client over SSE", longwire('/sse')],
  // By itself it speaks 2026-07-28, which has no sessions, so nothing that could be resumed.
  ["Longwire's client over Streamable HTTP", longwire('/mcp', { protocol: '2025-11-25' })],
];
