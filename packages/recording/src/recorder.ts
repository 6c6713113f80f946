import { askedFor } from './asked-for.js';
import { createClock, rounded } from './clock.js';
import type {
  CallLine,
  CatalogueLine,
  EndLine,
  HealthLine,
  NotificationLine,
  RecordedError,
  RecordedLine,
  ServerLine,
  SessionsLine,
  StateLine,
} from './format.js';
import type {
  RecordableAuth,
  RecordableClient,
  RecordableError,
  RecordableGroup,
  RecordableRequest,
  RecordableResponse,
  RecordableState,
  RecordableWireEvent,
  RecordingMiddleware,
} from './recordable.js';
import { recordAuth } from './recorded-auth.js';
import type { Recorder, RecorderOptions } from './recorder-contract.js';
import { RecordedCall } from './recorded-call.js';
import { isPoll, RecordedTasks, TASK_NOTIFICATIONS } from './recorded-tasks.js';
import { Rounds } from './rounds.js';
import { firstChars, keepValue, type Redact } from './values.js';
import { idOf, wireLine, type WireKeeping } from './wire-lines.js';

/** The longest message of an error that is kept. */
const MAX_MESSAGE_CHARS = 2000;
const DEFAULT_MAX_VALUE_BYTES = 1024 * 1024;
const LIST_CHANGED = 'notifications/tools/list_changed';

/**
 * Makes a recorder. It asks nothing of any server, and no call fails or waits because of it.
 *
 * @throws TypeError for a wrong `maxValueBytes`.
 */
export function createRecorder(options: RecorderOptions): Recorder {
  const { maxValueBytes = DEFAULT_MAX_VALUE_BYTES } = options;
  if (!Number.isSafeInteger(maxValueBytes) || maxValueBytes < 1) {
    throw new TypeError('maxValueBytes: not a whole number above 0');
  }
  return new LineRecorder({ ...options, maxValueBytes });
}

type UnstampedLine = RecordedLine extends infer Line
  ? Line extends RecordedLine
    ? Omit<Line, 'at'>
    : never
  : never;

class LineRecorder implements Recorder {
  readonly #write: (line: RecordedLine) => void;
  readonly #now: () => number;
  readonly #maxValueBytes: number;
  readonly #by: RecorderOptions['by'];
  readonly #inFlight = new Map<number, RecordableRequest>();
  /** How the latest request to each server redacts texts: its client knows the secrets. */
  readonly #redactions = new Map<string, Redact>();
  readonly #rounds = new Rounds();
  readonly #tasks = new RecordedTasks((task) =>
    this.#add(() => ({
      ...task,
      taskId: this.#text(task.server, task.taskId),
      ...(task.status !== undefined && { status: this.#text(task.server, task.status) }),
    })),
  );
  #calls = 0;
  #lost = 0;

  constructor({
    write,
    now = createClock(),
    maxValueBytes,
    by,
  }: Required<Pick<RecorderOptions, 'maxValueBytes'>> & RecorderOptions) {
    this.#write = write;
    this.#now = now;
    this.#maxValueBytes = maxValueBytes;
    this.#by = by;
  }

  middleware(server: string): RecordingMiddleware {
    const run = async <Response extends RecordableResponse>(
      request: RecordableRequest,
      next: () => Promise<Response>,
    ): Promise<Response> => {
      this.#redactions.set(server, (text) => request.redact(text));
      if (request.internal) return next();
      // With a call for each, they would be most of all calls.
      if (isPoll(request)) {
        const polled = await next();
        this.#tasks.hear(request.params?.['taskId'], polled.result);
        return polled;
      }
      const call = this.#begin(server, request);
      try {
        const response = await next();
        this.#add(() => this.#rounds.answered(server, request, response.result));
        call.end(() => this.#answered(server, response));
        return response;
      } catch (error) {
        call.end(() => this.#failed(server, error));
        throw error;
      }
    };
    return Object.assign(run, { addsNoIdentity: true as const });
  }

  watch({ name: server, client }: { name: string; client: RecordableClient }): () => void {
    let isTold = true;
    const say = (method: string, params: unknown): void => {
      this.#add(() => this.#notification(server, method, params));
    };
    const onState = (state: RecordableState): void => {
      this.#state(server, state, {
        protocolVersion: client.protocolVersion,
        info: client.server,
      });
    };
    const stops = [
      client.on('state', onState),
      client.on('notification', ({ method, params }) => {
        if (method === LIST_CHANGED) isTold = true;
        if (TASK_NOTIFICATIONS.has(method)) {
          const { taskId } = (params ?? {}) as { taskId?: unknown };
          // Of a call that is recorded, it is part of that.
          if (this.#tasks.hear(taskId, params)) return;
        }
        say(method, params);
      }),
      // A client that compares lists finds changes of which no notification tells.
      client.on('toolsChanged', () => {
        isTold = false;
        queueMicrotask(() => {
          if (!isTold) say(LIST_CHANGED, undefined);
        });
      }),
      client.on('error', (error) => this.#add(() => this.#error(server, error))),
    ];
    onState(client.state);
    return () => stops.forEach((stop) => stop());
  }

  watchGroup(group: RecordableGroup): () => void {
    for (const { name: server, target, state } of group.status()) {
      this.#add(() => ({ type: 'server', server, target: this.#text(server, target) }));
      this.#add(() => ({ type: 'state', server, state }));
    }
    const stops = [
      group.on('state', ({ server, state }) => this.#state(server, state)),
      group.on('notification', ({ server, method, params }) =>
        this.#add(() => this.#notification(server, method, params)),
      ),
      group.on('error', ({ server, error }) => this.#add(() => this.#error(server, error))),
    ];
    return () => stops.forEach((stop) => stop());
  }

  observe(server: string): (event: RecordableWireEvent) => void {
    const wire: WireKeeping = {
      text: (text) => this.#text(server, text),
      value: (value) => this.#kept(server, value),
      error: (error) => this.#recorded(server, error),
    };
    return (event) => this.#add(() => ({ server, ...wireLine(event, wire) }));
  }

  state(state: Omit<StateLine, 'type' | 'at'>): void {
    this.#add(() => ({ type: 'state', ...state }));
  }

  notification({ server, method, params }: Omit<NotificationLine, 'type' | 'at'>): void {
    this.#add(() => this.#notification(server, method, params));
  }

  server(known: Omit<ServerLine, 'type' | 'at'>): void {
    this.#add(() => ({ type: 'server', ...known }));
  }

  catalogue(listed: Omit<CatalogueLine, 'type' | 'at'>): void {
    this.#add(() => {
      const { server, kind } = listed;
      const items = listed.items.map((item) => this.#kept(server, item));
      return { type: 'catalogue', server, kind, items: items as CatalogueLine['items'] };
    });
  }

  health(health: Omit<HealthLine, 'type' | 'at'>): void {
    this.#add(() => ({ type: 'health', ...health }));
  }

  sessions(sessions: Omit<SessionsLine, 'type' | 'at'>): void {
    this.#add(() => ({ type: 'sessions', ...sessions }));
  }

  auth<Auth extends RecordableAuth>(server: string, auth: Auth): Pick<Auth, keyof RecordableAuth> {
    return recordAuth(auth, this.#now, ({ at, error, ...ended }) => {
      const why = error === undefined ? {} : { error: this.#recorded(server, error) };
      this.#add(() => ({ type: 'authorization', server, ...ended, ...why }), at);
    });
  }

  cancel(call: number, error: Error): boolean {
    const request = this.#inFlight.get(call);
    request?.abort(error);
    return request !== undefined;
  }

  #begin(server: string, request: RecordableRequest): RecordedCall {
    const call = ++this.#calls;
    this.#inFlight.set(call, request);
    this.#tasks.begin(call, server, request);
    const startedAt = this.#now();
    const redact: Redact = (text) => request.redact(text);
    this.#add(() => {
      const by = this.#by?.(call);
      const before = this.#rounds.begin(server, request, call);
      return {
        type: 'call',
        server,
        call,
        method: firstChars(request.method, MAX_MESSAGE_CHARS),
        ...this.#askedFor(server, request),
        ...(by !== undefined && { by }),
        // Who made the call is known of its first round.
        ...(before !== undefined && { by: { call: before } }),
      };
    }, startedAt);
    return new RecordedCall(request, {
      onSent: (attempt, id) => {
        this.#add(() => ({ type: 'attempt', server, call, attempt, ...idOf({ id }) }));
      },
      onProgress: ({ progress, total, message }) => {
        this.#tasks.look(call);
        this.#add(() => ({
          type: 'progress',
          server,
          call,
          progress,
          ...(total !== undefined && { total }),
          ...(message !== undefined && { message: firstChars(redact(message), MAX_MESSAGE_CHARS) }),
        }));
      },
      onStopped: (error) => this.#failed(server, error),
      onEnd: (outcome) => {
        this.#tasks.end(call);
        this.#inFlight.delete(call);
        const at = this.#now();
        const durationMs = rounded(Math.max(0, at - startedAt));
        this.#add(() => ({ type: 'end', server, call, durationMs, ...outcome() }), at);
      },
    });
  }

  /** What is called, and with what. */
  #askedFor(
    server: string,
    { method, params }: RecordableRequest,
  ): Pick<CallLine, 'name' | 'arguments'> {
    const { name, arguments: given } = askedFor(method, params);
    return {
      ...(name !== undefined && { name: this.#text(server, name) }),
      ...(given !== undefined && { arguments: this.#kept(server, given) }),
    };
  }

  #answered(server: string, { result }: RecordableResponse): Outcome {
    const isError = (result as { isError?: unknown } | null)?.isError === true;
    return { outcome: isError ? 'tool-error' : 'result', result: this.#kept(server, result) };
  }

  #failed(server: string, error: unknown): Outcome {
    return { outcome: 'error', error: this.#recorded(server, error) };
  }

  #state(server: string, state: RecordableState, known: Partial<Known> = {}): void {
    const { name, attempt, nextDelayMs, connectMs, resumed, reason } = state;
    this.#add(() => {
      const { transport, address } = state;
      const { protocolVersion, info } = known;
      if (name !== 'ready') return undefined;
      return {
        type: 'server',
        server,
        ...(address !== undefined && { target: this.#text(server, address) }),
        ...(transport !== undefined && { transport }),
        ...(protocolVersion !== undefined && { protocolVersion }),
        ...(info !== undefined && {
          info: { name: this.#text(server, info.name), version: this.#text(server, info.version) },
        }),
      };
    });
    this.#add(() => ({
      type: 'state',
      server,
      state: name,
      ...(attempt !== undefined && { attempt }),
      ...(nextDelayMs !== undefined && { nextDelayMs: rounded(nextDelayMs) }),
      ...(connectMs !== undefined && { connectMs: rounded(connectMs) }),
      ...(resumed !== undefined && { resumed }),
      ...(reason !== undefined && { reason: this.#recorded(server, reason) }),
    }));
  }

  #notification(server: string, method: string, params: unknown): UnstampedLine {
    const kept = params === undefined ? undefined : this.#kept(server, params);
    return {
      type: 'notification',
      server,
      method: this.#text(server, method),
      ...(kept !== undefined && { params: kept }),
    };
  }

  #error(server: string, error: RecordableError): UnstampedLine {
    return { type: 'error', server, error: this.#recorded(server, error) };
  }

  #recorded(server: string, thrown: unknown): RecordedError {
    const { code, certainty, number, summary, message } = (thrown ??
      {}) as Partial<RecordableError>;
    return {
      code: typeof code === 'string' ? code : 'error',
      ...(certainty !== undefined && { certainty }),
      ...(typeof number === 'number' && { number }),
      message: this.#text(server, summary ?? message ?? String(thrown)),
    };
  }

  #kept(server: string, value: unknown): unknown {
    const redact = this.#redactions.get(server) ?? ((text) => text);
    return keepValue(value, { redact, maxValueBytes: this.#maxValueBytes });
  }

  #text(server: string, text: string): string {
    return firstChars(this.#redactions.get(server)?.(text) ?? text, MAX_MESSAGE_CHARS);
  }

  /** Adds a line. Neither how it is made nor how it is written may harm a call. */
  #add(make: () => UnstampedLine | undefined, now = this.#now()): void {
    try {
      const made = make();
      if (made === undefined) return;
      const at = rounded(now);
      if (this.#lost > 0) {
        this.#write({ type: 'gap', at, count: this.#lost });
        this.#lost = 0;
      }
      // First, where a person looks for it.
      this.#write(Object.assign({ type: made.type, at }, made) as RecordedLine);
    } catch {
      this.#lost++;
    }
  }
}

type Outcome = Pick<EndLine, 'outcome' | 'result' | 'error'>;
type Known = { protocolVersion: string | undefined; info: RecordableClient['server'] };
