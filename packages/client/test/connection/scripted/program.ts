import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { expect, vi } from 'vitest';
import { requestContext, type RequestContext } from '../../../src/connection/request-context.ts';
import { ReconnectingTransport } from '../../../src/connection/transport.ts';
import { resolveConnectionOptions } from '../../../src/connection/resolve-options.ts';
import type { ConnectionState } from '../../../src/connection/state.ts';
import { LongwireError } from '../../../src/errors.ts';
import { parseTarget } from '../../../src/dial/target.ts';
import type { ScriptedServer } from './server.ts';
import type { RetryOptions } from '../../../src/options/connection-options.ts';

export const MAX_ATTEMPTS = 3;
export const FIRST_DELAY_MS = 100;

/** A request of the program, and how it settled. */
export interface Call {
  tag: number;
  safe: boolean;
  context: RequestContext;
  /** How often it settled. */
  settled: number;
  result?: unknown;
  error?: LongwireError;
}

export type Kind = 'tool' | 'idempotent' | 'read' | 'subscribe' | 'list' | 'transport';

const METHODS: Record<Kind, string> = {
  tool: 'tools/call',
  idempotent: 'tools/call',
  read: 'resources/read',
  subscribe: 'resources/subscribe',
  list: 'tools/list',
  transport: 'tools/call',
};

/** Runs everything that waits only for microtasks. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await Promise.resolve();
}

/** Lets time pass, in steps shorter than every delay. */
export async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 25) {
    vi.advanceTimersByTime(Math.min(25, left));
    await settle();
  }
}

/** A program that uses a connection, and remembers what it got. */
export class Program {
  readonly connection: ReconnectingTransport;
  readonly calls: Call[] = [];
  readonly states: ConnectionState[] = [];
  /** Ids of the server's requests that it has not answered. */
  readonly toAnswer: RequestId[] = [];
  readonly errors: Error[] = [];
  #onInitialized: () => void = () => {};

  constructor(retry: RetryOptions = {}) {
    const target = parseTarget('http://127.0.0.1:1/sse');
    const options = resolveConnectionOptions({
      retry: {
        maxAttempts: MAX_ATTEMPTS,
        firstDelayMs: FIRST_DELAY_MS,
        maxDelayMs: 1000,
        ...retry,
      },
      heartbeat: { silenceMs: 3000, timeoutMs: 1000 },
    });
    this.connection = new ReconnectingTransport(target, options);
    this.connection.onstate = (state) => this.states.push(state);
    this.connection.onerror = (error) => this.errors.push(error);
    this.connection.onmessage = (message) => this.#take(message);
  }

  get open(): Call[] {
    return this.calls.filter(({ settled }) => settled === 0);
  }

  /** Starts the handshake with a server that accepts it. */
  async start(server: ScriptedServer): Promise<void> {
    const initialized = new Promise<void>((resolve) => {
      this.#onInitialized = resolve;
    });
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: {} };
    void this.connection.send({ jsonrpc: '2.0', id: 'init', method: 'initialize', params });
    await settle();
    server.accept(false);
    await initialized;
  }

  /** Ends the handshake. */
  async finish(): Promise<void> {
    await this.connection.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(this.connection.state.name).toBe('ready');
  }

  call(kind: Kind, dueMs: number): void {
    const tag = this.calls.length;
    const context: RequestContext = {
      certainty: 'not-sent',
      idempotent: kind === 'idempotent',
      dueAt: performance.now() + dueMs,
    };
    const safe = kind !== 'tool' && kind !== 'transport';
    const call: Call = { tag, safe, context, settled: 0 };
    this.calls.push(call);
    const request = { method: METHODS[kind], params: { tag, uri: `test:${tag}` } };
    const failed = (error: unknown): void => {
      call.settled++;
      call.error = error as LongwireError;
    };
    if (kind === 'transport') {
      const params = { ...request.params, [requestContext]: context };
      const id = `program-${tag}`;
      this.connection.send({ jsonrpc: '2.0', id, ...request, params }).catch(failed);
    } else {
      this.connection.request(request, context).then((result) => {
        call.settled++;
        call.result = result;
      }, failed);
    }
  }

  cancel(call: Call): void {
    const { certainty } = call.context;
    this.connection.cancel(
      call.context,
      new LongwireError('enough', { code: 'aborted', certainty }),
    );
  }

  answer(nth: number): void {
    const [id] = this.toAnswer.splice(nth, 1);
    if (id === undefined) return;
    this.connection.send({ jsonrpc: '2.0', id, result: {} }).catch(() => {});
  }

  #take(message: JSONRPCMessage): void {
    if ('method' in message) {
      if ('id' in message) this.toAnswer.push(message.id);
    } else if (message.id === 'init') {
      this.#onInitialized();
    } else {
      const call = this.calls.find(({ tag }) => message.id === `program-${tag}`);
      if (call === undefined) throw new Error('an answer to nothing');
      call.settled++;
      call.result = 'result' in message ? message.result : message.error;
    }
  }
}
