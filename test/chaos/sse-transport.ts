import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ChaosSession } from './chaos-session.ts';
import { EventLog } from './event-log.ts';
import { beginEvents, readMessage, refuse, sendEvent } from './server-transport.ts';
import { SessionTransport } from './session-transport.ts';
import type { KeptSession } from './session-store.ts';

interface SseSession extends KeptSession {
  mcp: ChaosSession;
  log: EventLog;
  stream: ServerResponse | undefined;
}

/** HTTP+SSE of protocol 2024-11-05: a stream by GET, and a POST for each message of the client. */
export class SseTransport extends SessionTransport<SseSession> {
  readonly path = '/sse';

  get openStreams(): number {
    return this.sessions.all().filter(({ stream }) => stream !== undefined).length;
  }

  take(request: IncomingMessage, response: ServerResponse): Promise<void> | void {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server');
    if (request.method === 'GET' && pathname === this.path) this.#openStream(request, response);
    else if (request.method === 'POST' && pathname === '/messages') {
      return this.#takePost(searchParams.get('session') ?? '', request, response);
    } else refuse(response, 404, 'no such place');
  }

  #openStream(request: IncomingMessage, response: ServerResponse): void {
    beginEvents(response);
    const resumed = this.options.resumable ? this.#resume(request, response) : undefined;
    const session = resumed ?? this.#open(response);
    response.once('close', () => this.#streamClosed(session, response));
  }

  #open(response: ServerResponse): SseSession {
    const { resumable, onRun, onBreach } = this.options;
    const id = randomUUID();
    const log = new EventLog();
    const mcp = new ChaosSession({
      version: '2024-11-05',
      send: (message) => {
        const data = JSON.stringify(message);
        const number = resumable ? log.add(data) : 0;
        const stream = this.sessions.get(id)?.stream;
        sendEvent(stream, { event: 'message', data, id: this.#eventId(id, number) });
      },
      onRun,
      onBreach,
    });
    const session = { id, mcp, log, stream: response, close: () => mcp.close() };
    this.sessions.add(session);
    this.#sendEndpoint(session, 0);
    return session;
  }

  /** Takes up the session that the client was in; `undefined` if that cannot be. */
  #resume(request: IncomingMessage, response: ServerResponse): SseSession | undefined {
    const [id = '', number = ''] = String(request.headers['last-event-id'] ?? '').split(':');
    const session = this.sessions.get(id);
    const missed = session?.log.after(Number(number));
    if (session === undefined || missed === undefined || number === '') return undefined;
    this.resumptions += 1;
    this.sessions.keep(id);
    session.stream?.destroy();
    session.stream = response;
    this.#sendEndpoint(session, Number(number));
    for (const event of missed) {
      const { data } = event;
      sendEvent(response, { event: 'message', data, id: this.#eventId(id, event.number) });
    }
    return session;
  }

  #sendEndpoint({ id, stream }: SseSession, number: number): void {
    const data = `/messages?session=${id}`;
    sendEvent(stream, { event: 'endpoint', data, id: this.#eventId(id, number) });
  }

  #streamClosed(session: SseSession, response: ServerResponse): void {
    const { resumable, random, lostShare, sessionLifeMs } = this.options;
    if (session.stream !== response) return;
    session.stream = undefined;
    if (!resumable || random.chance(lostShare)) this.sessions.end(session.id);
    else this.sessions.endIn(session.id, sessionLifeMs);
  }

  #eventId(id: string, number: number): string | undefined {
    return this.options.resumable ? `${id}:${number}` : undefined;
  }

  async #takePost(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { random, onBreach } = this.options;
    const message = await readMessage(request);
    const session = this.sessions.get(id);
    if (session === undefined) {
      refuse(response, 404, 'no such session');
    } else if (message === undefined) {
      onBreach('a POST without a JSON-RPC message');
      refuse(response, 400, 'not a JSON-RPC message');
    } else if (random.chance(0.5)) {
      response.writeHead(202).end('Accepted');
      session.mcp.receive(message);
    } else {
      session.mcp.receive(message);
      response.writeHead(202).end('Accepted');
    }
  }
}
