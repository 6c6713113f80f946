import { post } from '../fixture.ts';
import { stream } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';

/** A message as it is read. */
export interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** A session of Streamable HTTP, whose messages are seen as they are. */
export class LegacySession {
  readonly #url: string;
  readonly headers: Record<string, string>;
  /** What the server said of itself. */
  readonly initialized: Record<string, unknown>;
  #lastId = 0;

  private constructor(
    url: string,
    headers: Record<string, string>,
    initialized: Record<string, unknown>,
  ) {
    this.#url = url;
    this.headers = headers;
    this.initialized = initialized;
  }

  static async open(
    url: string,
    {
      protocolVersion = '2025-11-25',
      capabilities = { elicitation: { form: {} } },
      principal,
    }: { protocolVersion?: string; capabilities?: object; principal?: string } = {},
  ): Promise<LegacySession> {
    const accept = 'application/json, text/event-stream';
    const own = { accept, ...(principal !== undefined && { 'x-principal': principal }) };
    const params = { protocolVersion, capabilities, clientInfo: { name: 'raw', version: '1' } };
    const answer = await post(url, { jsonrpc: '2.0', id: 0, method: 'initialize', params }, own);
    const headers = {
      ...own,
      'mcp-session-id': String(answer.headers['mcp-session-id']),
      'mcp-protocol-version': protocolVersion,
    };
    const session = new LegacySession(url, headers, answerOf(answer.text).result ?? {});
    await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers);
    return session;
  }

  /** The same session, by another node. Its requests have ids of their own. */
  at(url: string): LegacySession {
    const session = new LegacySession(url, this.headers, this.initialized);
    session.#lastId = this.#lastId;
    return session;
  }

  /** Sends a request, and reads its answer. */
  async ask(method: string, params: Record<string, unknown> = {}): Promise<Message> {
    return answerOf((await post(this.#url, this.#request(method, params), this.headers)).text);
  }

  /** Sends a request, and leaves its stream to be read. */
  async begin(
    method: string,
    params: Record<string, unknown> = {},
  ): Promise<{ id: number; stream: RawStream }> {
    const request = this.#request(method, params);
    return { id: request.id, stream: await RawStream.post(this.#url, request, this.headers) };
  }

  /** The session's own stream, or one that is resumed. */
  listen(lastEventId?: string): Promise<RawStream> {
    return stream(this.#url, {
      ...this.headers,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    });
  }

  /** Calls a tool as a task; its id. */
  async task(name: string, more: Record<string, unknown> = {}): Promise<string> {
    const { result, error } = await this.ask('tools/call', {
      name,
      arguments: {},
      task: {},
      ...more,
    });
    if (result === undefined) throw new Error(`no task: ${JSON.stringify(error)}`);
    return String((result['task'] as { taskId: string }).taskId);
  }

  /** Answers a request of the server, or tells it something. */
  async tell(message: object): Promise<void> {
    await post(this.#url, { jsonrpc: '2.0', ...message }, this.headers);
  }

  /** Ends the session. */
  async end(): Promise<void> {
    await fetch(this.#url, { method: 'DELETE', headers: this.headers });
  }

  /** A task, once it is as somebody waits for. */
  async until(
    taskId: string,
    isSo: (task: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>> {
    for (;;) {
      const { result, error } = await this.ask('tasks/get', { taskId });
      if (result === undefined) throw new Error(`no task: ${JSON.stringify(error)}`);
      if (isSo(result)) return result;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #request(method: string, params: Record<string, unknown>) {
    return { jsonrpc: '2.0' as const, id: ++this.#lastId, method, params };
  }
}

/** The next message on a stream; priming events are passed over. */
export async function nextMessage(from: RawStream): Promise<Message & { eventId: string }> {
  for (;;) {
    const event = await from.next();
    if (event === undefined) throw new Error('the stream has ended');
    if (event.data === '') continue;
    return { ...(JSON.parse(event.data) as Message), eventId: event.id ?? '' };
  }
}

/** The next message that is so; others are passed over. */
export async function messageWhere(
  from: RawStream,
  isSo: (message: Message) => boolean,
): Promise<Message & { eventId: string }> {
  for (;;) {
    const message = await nextMessage(from);
    if (isSo(message)) return message;
  }
}

function answerOf(text: string): Message {
  const json = text.startsWith('{') ? [text] : text.matchAll(/^data: (\{.*\})$/gm);
  for (const found of json) {
    const message = JSON.parse(typeof found === 'string' ? found : found[1]!) as Message;
    if (message.result !== undefined || message.error !== undefined) return message;
  }
  throw new Error(`no answer: ${text}`);
}
