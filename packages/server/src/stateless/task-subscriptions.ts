import {
  INTERNAL_ERROR,
  INVALID_PARAMS,
  SUBSCRIPTION_ID_META_KEY,
  type JSONRPCErrorResponse,
} from '@modelcontextprotocol/server';
import type { ClientCall } from '../calls/client-call.js';
import { isClusterAway } from '../cluster/cluster.js';
import { encodeEvent } from '../events/event-stream.js';
import { CLUSTER_AWAY, errorOf } from '../refusal.js';
import type { TaskEngine } from '../tasks/task-engine.js';
import { NEEDS_EXTENSION, STORE_FAILED } from '../tasks/task-refusals.js';
import { isFinal, type TaskRecord } from '../tasks/task-store.js';
import { canTakeTasks, detailedTask } from './task-results.js';

/** The most tasks that one subscription names. */
const MAX_TASKS = 1_000;

/**
 * Tasks in streams of `subscriptions/listen`, of which the SDK's handler knows nothing: it answers the
 * rest of the request, and what it sends is completed here.
 */
export class TaskSubscriptions {
  readonly #engine: TaskEngine;
  readonly #max: number;
  readonly #open = new Set<TaskSubscription>();

  constructor(engine: TaskEngine, maxSubscriptions: number) {
    this.#engine = engine;
    this.#max = maxSubscriptions;
  }

  /** What is answered to a subscription: that of the SDK's handler, with the tasks that are asked for. */
  async complete(
    response: Response,
    { call, signal }: { readonly call: ClientCall; readonly signal: AbortSignal },
  ): Promise<Response> {
    const { body } = response;
    const wanted = taskIdsOf(call);
    if (wanted === undefined || body === null || response.status !== 200) return response;
    const refusal = this.#refusalOf(call, wanted);
    if (refusal !== undefined) {
      await body.cancel();
      const { id } = call;
      const status = refusal === NEEDS_EXTENSION ? 400 : 200;
      return Response.json({ jsonrpc: '2.0', id, error: refusal }, { status });
    }
    const subscription = new TaskSubscription(this.#engine, call);
    this.#open.add(subscription);
    const over = (): void => void this.#open.delete(subscription);
    const { headers } = response;
    try {
      await subscription.begin(new Set(wanted as string[]));
    } catch (error) {
      const isAway = isClusterAway(error);
      if (!isAway) call.log.error(error, 'the store of tasks failed');
      over();
      subscription.abandon();
      await body.cancel();
      const { status, headers: more = {} } = CLUSTER_AWAY;
      return isAway
        ? Response.json(
            { jsonrpc: '2.0', id: call.id, error: errorOf(CLUSTER_AWAY) },
            { status, headers: more },
          )
        : Response.json({ jsonrpc: '2.0', id: call.id, error: STORE_FAILED });
    }
    return new Response(subscription.stream(body, { signal, over }), { headers });
  }

  /** Ends all of them, each with its result. */
  end(): void {
    for (const subscription of this.#open) subscription.end();
  }

  #refusalOf(
    { params }: ClientCall,
    wanted: readonly unknown[],
  ): JSONRPCErrorResponse['error'] | undefined {
    if (!canTakeTasks(params)) return NEEDS_EXTENSION;
    if (wanted.length > MAX_TASKS || !wanted.every((id) => typeof id === 'string')) {
      const message = `notifications.taskIds must be at most ${MAX_TASKS} strings`;
      return { code: INVALID_PARAMS, message };
    }
    return this.#open.size < this.#max
      ? undefined
      : { code: INTERNAL_ERROR, message: 'Subscription limit reached' };
  }
}

/** One stream that tells of tasks. Each is told as it is at first, then whenever it has changed. */
class TaskSubscription {
  readonly #engine: TaskEngine;
  readonly #call: ClientCall;
  readonly #encoder = new TextEncoder();
  /** What takes a listener away, by the task that may still change. */
  readonly #tasks = new Map<string, () => void>();
  /** The last version that was told, or is to be told before the stream is open. */
  readonly #latest = new Map<string, TaskRecord>();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** How the stream ends, once the SDK's handler has said it. */
  #result: Uint8Array | undefined;
  #isOpen = false;
  #isEnding = false;
  #over: (() => void) | undefined;

  constructor(engine: TaskEngine, call: ClientCall) {
    this.#engine = engine;
    this.#call = call;
  }

  /** Listens to those of the tasks that its principal has. */
  async begin(wanted: ReadonlySet<string>): Promise<void> {
    for (const taskId of wanted) {
      const stop = this.#engine.listen(this.#call, taskId, (record) =>
        this.#changed(taskId, record),
      );
      this.#tasks.set(taskId, stop);
      const record = await this.#engine.get(this.#call, taskId);
      // It may have expired meanwhile, and then it is dropped already.
      if (record === undefined || !this.#tasks.has(taskId)) {
        this.#drop(taskId);
        continue;
      }
      if (!this.#latest.has(taskId)) this.#latest.set(taskId, record);
    }
  }

  /** It has not begun: nothing is told. */
  abandon(): void {
    this.#close();
  }

  /** The events of the SDK's handler, completed. */
  stream(
    events: ReadableStream<Uint8Array>,
    { signal, over }: { readonly signal: AbortSignal; readonly over: () => void },
  ): ReadableStream<Uint8Array> {
    this.#over = over;
    return new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
        signal.addEventListener('abort', () => this.#close(), { once: true });
        if (signal.aborted) this.#close();
        void this.#read(events);
      },
      cancel: () => this.#close(),
    });
  }

  /** Ends the stream with its result. */
  end(): void {
    this.#isEnding = true;
    this.#endIfOver();
  }

  async #read(events: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let isAcknowledged = false;
    try {
      // The SDK's handler writes one event at a time.
      for await (const event of events) {
        const message = messageOf(decoder.decode(event));
        if (message === undefined) this.#send(event);
        else if (!isAcknowledged && 'method' in message) {
          isAcknowledged = true;
          this.#acknowledge(message);
        } else if ('method' in message) this.#send(event);
        else this.#result = event;
      }
    } catch {
      // It is cut, as its reader has left.
      this.#close();
    }
    if (this.#result === undefined) this.#close();
    this.#endIfOver();
  }

  #acknowledge(message: Record<string, unknown>): void {
    const { params = {} } = message as { params?: { notifications?: object } };
    const notifications = { ...params.notifications, taskIds: [...this.#tasks.keys()] };
    this.#tell({ ...message, params: { ...params, notifications } });
    const known = [...this.#latest.values()];
    this.#latest.clear();
    this.#isOpen = true;
    for (const record of known) this.#changed(record.taskId, record);
  }

  #changed(taskId: string, record: TaskRecord | undefined): void {
    if (record === undefined) {
      this.#drop(taskId);
      return;
    }
    const before = this.#latest.get(taskId)?.version ?? 0;
    if (record.version <= before || record.principal !== this.#call.principal.id) return;
    this.#latest.set(taskId, record);
    if (!this.#isOpen) return;
    const { _meta: meta, ...task } = detailedTask(record);
    const params = { ...task, _meta: { ...meta, [SUBSCRIPTION_ID_META_KEY]: this.#call.id } };
    this.#tell({ jsonrpc: '2.0', method: 'notifications/tasks', params });
    if (isFinal(record.status)) this.#drop(taskId);
  }

  #drop(taskId: string): void {
    this.#tasks.get(taskId)?.();
    this.#tasks.delete(taskId);
    this.#endIfOver();
  }

  #tell(message: object): void {
    this.#send(this.#encoder.encode(encodeEvent('message', JSON.stringify(message))));
  }

  #send(event: Uint8Array): void {
    this.#controller?.enqueue(event);
  }

  /** Nothing more is to be told: what the SDK's handler tells is over, and no task can change. */
  #endIfOver(): void {
    if (this.#result === undefined || (this.#tasks.size > 0 && !this.#isEnding)) return;
    this.#send(this.#result);
    this.#close();
  }

  #close(): void {
    for (const stop of this.#tasks.values()) stop();
    this.#tasks.clear();
    this.#latest.clear();
    const controller = this.#controller;
    this.#controller = undefined;
    this.#over?.();
    this.#over = undefined;
    try {
      controller?.close();
    } catch {
      // Its reader has closed it.
    }
  }
}

/** The tasks that a subscription asks for; `undefined` where it asks for none. */
function taskIdsOf({ params }: ClientCall): readonly unknown[] | undefined {
  const { taskIds } = (params?.['notifications'] ?? {}) as { taskIds?: unknown };
  if (taskIds === undefined) return undefined;
  return Array.isArray(taskIds) ? taskIds : [undefined];
}

/** The message of an event; `undefined` for a comment. */
function messageOf(event: string): Record<string, unknown> | undefined {
  const data = /^data: (.*)$/m.exec(event)?.[1];
  return data === undefined ? undefined : (JSON.parse(data) as Record<string, unknown>);
}
