import { setTimeout } from 'node:timers/promises';
import type { JSONRPCMessage, JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { Channel, ChannelHandlers, Dialect, Resumption } from '../channels/channel.js';
import { endpointBelowPrefix, endpointUrl } from '../channels/endpoint.js';
import { EventStream } from '../channels/event-stream.js';
import type { Http } from '../channels/http.js';
import { SseChannel, SseResumption } from '../channels/sse.js';
import { ToolEventsChannel } from '../channels/tool-events.js';
import type { LongwireError, Tried } from '../errors.js';
import { inNamedVersion } from './eras.js';
import { FirstAnswer } from './first-answer.js';
import { Opening } from './opening.js';

/** How long a server is given to notice that a stream was closed. */
const SETTLE_MS = 100;

/** What a handshake with one URL needs. */
export interface HandshakeOptions {
  http: Http;
  url: URL;
  /** What is known of the server, if anything. */
  dialect: Dialect | undefined;
  /** The real first request; never sent to a server that is known to speak tool-events. */
  initialize: JSONRPCRequest;
  /** What the channel before this one left, if it can be gone on with. */
  resumption: Resumption | undefined;
  /** Told that it is gone on with, before anything of it is handed over. */
  onResumed: () => void;
  /** Told that the stream has an endpoint. */
  onEndpoint: () => void;
  maxEventBytes: number;
  handlers: ChannelHandlers;
  /** Ends the handshake. Its reason is a LongwireError. */
  signal: AbortSignal;
}

/** A channel that can be used: its server has answered `initialize`, now or on the one before. */
export interface Connected {
  channel: Channel;
  /**
   * The answer to `initialize`, or of a modern channel to `server/discover`; `undefined` if the
   * session before goes on, so that nothing was asked.
   */
  answer: JSONRPCResponse | undefined;
  /** How it was found. Default: there was nothing to find. */
  tried?: readonly Tried[];
}

/**
 * Opens the stream of a URL and finds out, by the real `initialize`, which dialect is spoken there.
 * A stream that was asked to go on, and names the session's endpoint again, is the session's.
 *
 * @throws LongwireError
 */
export async function shakeHands(options: HandshakeOptions): Promise<Connected> {
  const { http, signal, dialect, handlers } = options;
  const before = options.resumption instanceof SseResumption ? options.resumption : undefined;
  const opening = new Opening(options.maxEventBytes);
  const giveUp = (): void => opening.onEnd(signal.reason as LongwireError);
  signal.addEventListener('abort', giveUp, { once: true });
  let stream: EventStream | undefined;
  try {
    const lastEventId = before?.cursor.lastEventId;
    stream = await EventStream.open(http, { ...options, lastEventId, listener: opening });
    const named = endpointUrl(await opening.endpoint(), stream.url);
    options.onEndpoint();
    const otherwise = endpointBelowPrefix(named, stream.url);
    const hrefs = [named.href, otherwise?.href];
    if (before !== undefined && hrefs.includes(before.endpoint.href)) {
      const { cursor, endpoint } = before;
      cursor.resume();
      options.onResumed();
      const channel = new SseChannel({ http, stream, endpoint, cursor, handlers });
      opening.handOver(stream);
      return { channel, answer: undefined };
    }
    if (dialect !== 'tool-events') {
      const met = await opening.introduce({ ...options, endpoint: named, otherwise });
      if (met.finding === 'sse') {
        const { cursor } = opening;
        const { endpoint } = met;
        const again = inNamedVersion(met.answer, options.initialize);
        const first = again && new FirstAnswer(handlers);
        const channel = new SseChannel({
          http,
          stream,
          endpoint,
          cursor,
          handlers: first ?? handlers,
        });
        opening.handOver(stream);
        const answer = (again && (await first?.to(channel, again, signal))) ?? met.answer;
        return { channel, answer };
      }
      if (met.finding === 'tool-events-unanswered') {
        // A late answer to `initialize` would look like the first call's: a session of its own.
        // A server that gives every session the same id must have seen the end of this one first.
        stream.close();
        await setTimeout(SETTLE_MS);
        return await shakeHands({ ...options, dialect: 'tool-events' });
      }
    }
    return await toolEvents(options, { opening, stream, endpoint: named });
  } catch (error) {
    stream?.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

async function toolEvents(
  { http, initialize, maxEventBytes, handlers }: HandshakeOptions,
  { opening, stream, endpoint }: { opening: Opening; stream: EventStream; endpoint: URL },
): Promise<Connected> {
  const tools = await opening.tools();
  let answer: JSONRPCMessage | undefined;
  const channel = new ToolEventsChannel({
    http,
    stream,
    endpoint,
    tools,
    maxEventBytes,
    handlers: {
      ...handlers,
      onMessage: (message) => {
        if (answer === undefined) answer = message;
        else handlers.onMessage(message);
      },
    },
  });
  await channel.send(initialize);
  opening.handOver(stream);
  return { channel, answer: answer as unknown as JSONRPCResponse };
}
