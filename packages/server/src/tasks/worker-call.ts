import {
  INTERNAL_ERROR,
  type JSONRPCMessage,
  type MessageExtraInfo,
} from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { makeServer } from '../instances/make-server.js';
import { ServerInstance } from '../instances/server-instance.js';
import { deliverRun, watchTools, type ToolRun } from '../limits/running-tools.js';
import type { WorkerAnswer, WorkerCall, WorkerCaller } from '../limits/work-queue.js';
import type { ServerFactory } from '../options.js';
import { CLOSED_EARLY, NO_SERVER, SERVER_ERROR, errorOf } from '../refusal.js';
import { requestStates } from '../request-state.js';
import { answerWithoutClient } from './task-questions.js';
import { handshakeOf, prepareServer } from './task-server.js';
import { isListedAsSafe } from './tool-safety.js';

/** What runs the calls of a worker. */
export interface WorkerCallOptions {
  readonly create: ServerFactory;
  readonly log: Pick<FastifyBaseLogger, 'error' | 'warn' | 'debug'>;
  /** How long `create` may take. Default: 60 000. */
  readonly createTimeoutMs?: number;
  /**
   * Told once, before the tool runs: whether it may run twice without harm, as its server lists it. What
   * is returned is the answer, and the tool does not run.
   */
  readonly begins?: (isSafe: boolean) => WorkerAnswer | undefined;
}

/**
 * Runs a call in this process on a server of its own, which is closed afterwards: what a worker does. The
 * tool cannot ask its client anything. A signal that is aborted aborts that of the tool; the answer comes
 * when the tool has really ended.
 *
 * @returns the answer, whatever happens: a failure is one, too.
 */
export async function runWorkerCall(
  call: WorkerCall,
  caller: WorkerCaller,
  { create, log, createTimeoutMs = 60_000, begins }: WorkerCallOptions,
): Promise<WorkerAnswer> {
  const ended = new AbortController();
  const { principal, headers, era, client } = call;
  const context = {
    principal,
    headers,
    sessionId: undefined,
    signal: ended.signal,
    era: 'legacy',
    requestState: requestStates()(() => principal.id),
  } as const;
  let run: WorkerRun;
  try {
    const making = { signal: caller.signal, timeoutMs: createTimeoutMs, log };
    const server = await makeServer(() => create(context), making);
    run = new WorkerRun(server, caller);
  } catch (error) {
    log.error(error, 'the server of a call could not be made');
    return { error: errorOf(NO_SERVER) };
  }
  try {
    await run.open(client);
    const instead = begins?.(await run.isSafe(call.tool));
    if (instead !== undefined) return instead;
    const answer = await run.call(call, ended.signal);
    return era === 'modern' && 'result' in answer ? { result: run.project(answer.result) } : answer;
  } catch (error) {
    log.error(error, 'the server of a call failed');
    return { error: errorOf(NO_SERVER) };
  } finally {
    ended.abort();
    await run.close().catch((error: unknown) => {
      log.error(error, 'the server of a call failed to close');
    });
  }
}

/** The tool's own id, which its client never sees. */
const CALL = 'call';
const LIST = 'list';

type Pending = (answer: WorkerAnswer) => void;

class WorkerRun {
  readonly project: ReturnType<typeof prepareServer>;
  readonly #caller: WorkerCaller;
  readonly #instance: ServerInstance;
  readonly #pending = new Map<unknown, Pending>();
  readonly #isWatched: boolean;
  #isClosed = false;

  constructor(server: Parameters<typeof prepareServer>[0], caller: WorkerCaller) {
    this.#caller = caller;
    this.project = prepareServer(server, () => false);
    this.#isWatched = watchTools(server);
    this.#instance = new ServerInstance(undefined, server, {
      send: (message) => this.#send(message),
      closed: () => {
        this.#isClosed = true;
        for (const settle of this.#pending.values()) settle({ error: CLOSED_EARLY });
      },
    });
  }

  async open(client: WorkerCall['client']): Promise<void> {
    await this.#instance.connect();
    const initialize = handshakeOf(client);
    await this.#instance.replay({ initialize, isInitialized: true, subscriptions: [] });
  }

  /** Whether the tool says so of itself. */
  isSafe(tool: string): Promise<boolean> {
    return isListedAsSafe(tool, async (params) => {
      const answer = await this.#ask(LIST, { method: 'tools/list', params });
      return 'result' in answer ? answer.result : undefined;
    });
  }

  /** Fulfilled when the tool has ended, also where it was cancelled. */
  async call(
    { params, principal, headers }: WorkerCall,
    signal: AbortSignal,
  ): Promise<WorkerAnswer> {
    const { signal: cancelled } = this.#caller;
    // An SDK server that was told of a cancellation answers nothing: the end of its tool is the answer.
    let hasEnded = !this.#isWatched;
    const settleCancelled = (): void => {
      if (hasEnded && cancelled.aborted) this.#pending.get(CALL)?.({ error: CANCELLED });
    };
    const cancel = (): void => {
      this.#instance.receive({
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: CALL },
      });
      settleCancelled();
    };
    const run: ToolRun = {
      begun: () => {
        hasEnded = false;
      },
      ended: () => {
        hasEnded = true;
        settleCancelled();
      },
    };
    const { authInfo } = principal;
    const request = new Request('http://worker.invalid/mcp', {
      method: 'POST',
      headers: plain(headers),
      signal,
    });
    if (cancelled.aborted) return { error: CANCELLED };
    cancelled.addEventListener('abort', cancel, { once: true });
    try {
      return await this.#ask(
        CALL,
        { method: 'tools/call', params: { ...params } },
        { extra: { request, ...(authInfo !== undefined && { authInfo }) }, run },
      );
    } finally {
      cancelled.removeEventListener('abort', cancel);
    }
  }

  close(): Promise<void> {
    return this.#instance.drop();
  }

  #ask(
    id: string,
    request: { method: string; params: Record<string, unknown> },
    { extra, run }: { extra?: MessageExtraInfo; run?: ToolRun } = {},
  ): Promise<WorkerAnswer> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve({ error: CLOSED_EARLY });
      this.#pending.set(id, (answer) => {
        this.#pending.delete(id);
        resolve(answer);
      });
      const deliver = (): void => this.#instance.receive({ jsonrpc: '2.0', id, ...request }, extra);
      if (run === undefined) deliver();
      else deliverRun(run, deliver);
    });
  }

  #send(message: JSONRPCMessage): void {
    if (!('method' in message)) {
      this.#pending.get(message.id)?.(
        'error' in message ? { error: message.error } : { result: message.result },
      );
    } else if ('id' in message) {
      const answer = answerWithoutClient(message) ?? { error: cannotAsk(message.method) };
      queueMicrotask(() => this.#instance.receive({ jsonrpc: '2.0', id: message.id, ...answer }));
    } else if (TOLD.has(message.method)) {
      this.#caller.notify(message.method, { ...message.params });
    }
  }
}

/** What a call comes to that was cancelled. Its client is told nothing. */
const CANCELLED = { code: SERVER_ERROR, message: 'The call was cancelled' };

/** What a call says to its client; everything else is of the server that ends with it. */
const TOLD: ReadonlySet<string> = new Set(['notifications/progress', 'notifications/message']);

function cannotAsk(method: string): { code: number; message: string } {
  return {
    code: INTERNAL_ERROR,
    message: `A tool that runs in a worker cannot ask its client (${method}): take worker out of its queue`,
  };
}

function plain(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}
