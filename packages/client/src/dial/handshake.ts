import { setTimeout } from 'node:timers/promises';
import type { JSONRPCMessage, JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { Channel, ChannelHandlers, Resumption } from '../channels/channel.js';
import { endpointBelowPrefix, endpointUrl } from '../channels/sse/endpoint.js';
import { EventStream } from '../http/event-stream.js';
import type { HttpClient } from '../http/client.js';
import { SseChannel } from '../channels/sse/channel.js';
import { SseResumption } from '../channels/sse/resumption.js';
import { ToolEventsChannel } from '../channels/tool-events/channel.js';
import type { LongwireError, ProbeResult } from '../errors.js';
import { inNamedVersion } from './eras.js';
import { FirstAnswer } from './first-answer.js';
import { Opening } from './opening.js';
import type { TransportName } from '../transport-name.js';

/** How long a server has to notice that a stream was closed. */
const SETTLE_MS = 100;

/** What a handshake over an event stream needs. */
export interface HandshakeOptions {
  http: HttpClient;
  url: URL;
  /** The transport of the server, if it is known. */
  transport: TransportName | undefined;
  /** The real first request; not sent to a server that is known to speak tool-events. */
  initialize: JSONRPCRequest;
  /** How the channel before can be resumed, if it can. */
  resumption: Resumption | undefined;
  /** Called when the channel before is resumed, before any message of it is delivered. */
  onResumed: () => void;
  /** Called when the stream has sent its endpoint. */
  onEndpoint: () => void;
  maxEventBytes: number;
  handlers: ChannelHandlers;
  /** Aborts the handshake. Its reason is a LongwireError. */
  signal: AbortSignal;
}

/** A channel that is ready: its server has answered `initialize`, now or on the channel before. */
export interface Connected {
  channel: Channel;
  /**
   * The answer to `initialize`, or in the modern era to `server/discover`; `undefined` if the session
   * before was resumed, so that neither was sent.
   */
  answer: JSONRPCResponse | undefined;
  /** The probes that found it. Default: there was nothing to detect. */
  tried?: readonly ProbeResult[];
}

/**
 * Opens the stream of a URL and detects, by the real `initialize`, which transport the server speaks.
 * A stream that was opened with a last event id, and names the same endpoint again, resumes its session.
 *
 * @throws LongwireError
 */
export async function handshakeByStream(options: HandshakeOptions): Promise<Connected> {
  const { http, signal, transport, handlers } = options;
  const before = options.resumption instanceof SseResumption ? options.resumption : undefined;
  const opening = new Opening(options.maxEventBytes);
  const cancel = (): void => opening.onEnd(signal.reason as LongwireError);
  signal.addEventListener('abort', cancel, { once: true });
  let stream: EventStream | undefined;
  try {
    const lastEventId = before?.cursor.lastEventId;
    stream = await EventStream.open(http, { ...options, lastEventId, listener: opening });
    const named = endpointUrl(await opening.endpoint(), stream.url);
    options.onEndpoint();
    const fallback = endpointBelowPrefix(named, stream.url);
    const hrefs = [named.href, fallback?.href];
    if (before !== undefined && hrefs.includes(before.endpoint.href)) {
      const { cursor, endpoint } = before;
      cursor.resume();
      options.onResumed();
      const channel = new SseChannel({ http, stream, endpoint, cursor, handlers });
      opening.release(stream);
      return { channel, answer: undefined };
    }
    if (transport !== 'tool-events') {
      const outcome = await opening.initialize({ ...options, endpoint: named, fallback });
      if (outcome.transport === 'sse') {
        const { cursor } = opening;
        const { endpoint } = outcome;
        const again = inNamedVersion(outcome.answer, options.initialize);
        const first = again && new FirstAnswer(handlers);
        const channel = new SseChannel({
          http,
          stream,
          endpoint,
          cursor,
          handlers: first ?? handlers,
        });
        opening.release(stream);
        const answer = (again && (await first?.to(channel, again, signal))) ?? outcome.answer;
        return { channel, answer };
      }
      if (outcome.transport === 'tool-events-unanswered') {
        // On this session a late answer to `initialize` would look like the answer to the first call.
        // A server that gives every session the same id must see the end of this one first.
        stream.close();
        await setTimeout(SETTLE_MS);
        return await handshakeByStream({ ...options, transport: 'tool-events' });
      }
    }
    return await toolEvents(options, { opening, stream, endpoint: named });
  } catch (error) {
    stream?.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
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
  opening.release(stream);
  return { channel, answer: answer as unknown as JSONRPCResponse };
}
