import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it was on the wire. */
export interface RecordedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** The raw body. */
  text: string;
  /** How the exchange ended: with a whole answer, or with a closed connection. */
  ended: Promise<'answered' | 'closed'>;
}

/** What the proxy does instead of passing a request on. */
export type Interception =
  /** Passes it on, and cuts the connection right behind this text of the answer. */
  | { type: 'cut'; after: string }
  /** Answers by itself. */
  | { type: 'answer'; status: number; body: unknown }
  /** Streams these server-sent events, and then ends, cuts or holds the answer. */
  | { type: 'stream'; events: readonly StreamEvent[]; ending: 'end' | 'cut' | 'hold' };

/** An event of the Messages API's stream. */
export interface StreamEvent {
  type: string;
  [key: string]: unknown;
}

/** A pass-through that records every request. */
export interface RecordingProxy {
  /** Its own address, on 127.0.0.1. */
  readonly url: string;
  /** Every request so far, in order. */
  readonly requests: readonly RecordedRequest[];
  /** Does this with the next request that has no plan yet; several calls plan several requests. */
  next(interception: Interception | 'pass'): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of a server, on a port of its own. */
export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const requests: RecordedRequest[] = [];
  const plans: (Interception | 'pass')[] = [];

  const server = createServer((incoming, outgoing) => {
    void handle(incoming, outgoing);
  });

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const ended = new Promise<'answered' | 'closed'>((resolve) => {
      outgoing.once('close', () => resolve(outgoing.writableFinished ? 'answered' : 'closed'));
    });
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    requests.push({
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      text: body.toString('utf8'),
      ended,
    });
    const plan = plans.shift() ?? 'pass';
    if (plan === 'pass') passOn(incoming, outgoing, body, undefined);
    else if (plan.type === 'cut') passOn(incoming, outgoing, body, plan.after);
    else if (plan.type === 'answer') {
      outgoing.writeHead(plan.status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(plan.body));
    } else {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of plan.events) {
        outgoing.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      }
      if (plan.ending === 'end') outgoing.end();
      // A turn of the event loop, so that what was written is sent before the connection is cut.
      if (plan.ending === 'cut') outgoing.write(': cut\n\n', () => outgoing.destroy());
    }
  }

  function passOn(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    body: Buffer,
    cutAfter: string | undefined,
  ): void {
    const { host: _, ...headers } = incoming.headers;
    const upstream = httpRequest(new URL(incoming.url ?? '/', target), {
      method: incoming.method,
      headers,
      agent: false,
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.once('close', () => upstream.destroy());
    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      let seen = Buffer.alloc(0);
      answer.on('data', (chunk: Buffer) => {
        const before = seen.length;
        seen = Buffer.concat([seen, chunk]);
        const at = cutAfter === undefined ? -1 : seen.indexOf(cutAfter);
        if (at === -1) {
          outgoing.write(chunk);
          return;
        }
        upstream.destroy();
        const end = at + Buffer.byteLength(cutAfter ?? '');
        outgoing.write(seen.subarray(before, end), () => outgoing.destroy());
      });
      answer.on('end', () => outgoing.end());
      answer.on('error', () => outgoing.destroy());
    });
    upstream.end(body);
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    next: (interception) => {
      plans.push(interception);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
