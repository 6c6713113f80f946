import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { EventEmitter, on } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

/** A stream of events as it comes. */
export interface RawEvents {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** From the first on; it ends with the stream. */
  readonly events: AsyncIterable<EventSourceMessage>;
  /** Fulfilled when the server has ended it. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** Opens a stream; fulfilled once its headers are there. */
export async function openStream(url: string, headers: Record<string, string>): Promise<RawEvents> {
  const { 'content-type': _, ...rest } = headers;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const accept = 'text/event-stream';
    get(url, { headers: { ...rest, accept }, agent: false }, resolve).once('error', reject);
  });
  const queue = new EventEmitter();
  const iterator = on(queue, 'event', { close: ['end'] });
  const parser = createParser({ onEvent: (event) => queue.emit('event', event) });
  response.setEncoding('utf8').on('data', (text: string) => parser.feed(text));
  const ended = new Promise<void>((resolve) => {
    response.once('close', () => {
      queue.emit('end');
      resolve();
    });
  });
  response.once('error', () => {});
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events: eachOf(iterator),
    ended,
    close: async () => {
      response.destroy();
      await ended;
    },
  };
}

async function* eachOf(iterator: AsyncIterable<unknown[]>): AsyncIterable<EventSourceMessage> {
  for await (const [event] of iterator) yield event as EventSourceMessage;
}
