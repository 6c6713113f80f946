import type { JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { Channel, ChannelHandlers } from '../channels/channel.js';
import { InMemoryChannel } from '../channels/in-memory/channel.js';
import type { JsonBounds } from '../untrusted/json.js';
import { StdioChannel } from '../channels/stdio/channel.js';
import type { TrafficCounts } from '../http/traffic-counts.js';
import { ConnectionLostError, LongwireError } from '../errors.js';
import { eraOf, inNamedVersion, isModernOnly, otherAnswer, type FirstRequests } from './eras.js';
import { FirstAnswer } from './first-answer.js';
import type { Connected } from './handshake.js';
import type { MountedTarget, ProcessTarget } from './target.js';
import type { TransportName } from '../transport-name.js';
import type { Era } from '../protocol-version.js';

/** What a handshake with a child process, or a server in this process, is made with. */
export interface ProcessHandshakeOptions {
  target: ProcessTarget | MountedTarget;
  /** The only transport that may be used. */
  transport: TransportName | undefined;
  firstRequests: FirstRequests;
  handlers: ChannelHandlers;
  /** What one line may hold. */
  maxEventBytes: number;
  /** What one message may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds | undefined;
  counts: TrafficCounts;
  /** Aborts the handshake. Its reason is a LongwireError. */
  signal: AbortSignal;
}

/**
 * Starts a process, or connects to a server in this process, and runs the handshake. It begins with
 * `initialize`, whatever the program prefers, because some servers exit after any other request. Only
 * a server that does not know `initialize` gets `server/discover`.
 *
 * @throws LongwireError
 */
export async function handshakeWithProcess(options: ProcessHandshakeOptions): Promise<Connected> {
  const { firstRequests, signal } = options;
  const first = new FirstAnswer(options.handlers);
  const channel = await openWithin(options, first);
  const ask = (request: JSONRPCRequest, era: Era) => {
    channel.era = era;
    return first.to(ignoringBrokenPipe(channel), request, signal);
  };
  const { discover, initialize, methods } = firstRequests;
  try {
    let answer: JSONRPCResponse | undefined;
    if (methods.includes('initialize')) {
      answer = await ask(initialize, 'legacy');
      const again = inNamedVersion(answer, initialize);
      if (again !== undefined) answer = await ask(again, 'legacy');
    }
    const mayBeModern = methods.includes('discover') && (!answer || isModernOnly(answer));
    if (discover !== undefined && mayBeModern) {
      const discovered = await ask(discover, 'modern');
      if (eraOf(discovered, discover) === 'modern') return { channel, answer: discovered };
      if (answer === undefined) throw notModern(options.target, discovered);
      channel.era = 'legacy';
    }
    return { channel, answer };
  } catch (error) {
    await channel.close();
    throw withLastWords(error, channel);
  }
}

function notModern({ name }: { name: string }, answer: JSONRPCResponse): LongwireError {
  const summary = `${name} does not know server/discover: ${otherAnswer(answer)}`;
  return new LongwireError(summary, { code: 'not-mcp', certainty: 'refused' });
}

/** A process that does not answer may have written why; the error of one that has ended says it. */
function withLastWords(error: unknown, channel: Channel): unknown {
  if (!(error instanceof LongwireError) || error.code !== 'connect-timeout') return error;
  if (!(channel instanceof StdioChannel) || channel.lastWords === '') return error;
  const { summary, code, certainty, hint } = error;
  return new LongwireError(`${summary}; the last words of its process: ${channel.lastWords}`, {
    code,
    certainty,
    hint,
    cause: error,
  });
}

/**
 * The pipe to a process that has ended breaks before its end is reported. The end says why, and always
 * follows, so that the broken pipe is ignored.
 */
function ignoringBrokenPipe(channel: Channel): Pick<Channel, 'send'> {
  if (channel.transport !== 'stdio') return channel;
  return {
    send: (message) =>
      channel.send(message).catch((error: unknown) => {
        if (!(error instanceof ConnectionLostError)) throw error;
        return new Promise<never>(() => {});
      }),
  };
}

/** Opens a channel; one that opens after the abort is closed. */
async function openWithin(
  options: ProcessHandshakeOptions,
  handlers: ChannelHandlers,
): Promise<Channel & { era: Era }> {
  const { signal } = options;
  const opening = open(options, handlers);
  let cancel = (): void => {};
  const ended = new Promise<never>((_resolve, reject) => {
    cancel = () => reject(signal.reason as LongwireError);
    signal.addEventListener('abort', cancel, { once: true });
  });
  try {
    return await Promise.race([opening, ended]);
  } catch (error) {
    void opening.then((late) => late.close()).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function open(
  { target, transport, maxEventBytes, jsonBounds, counts }: ProcessHandshakeOptions,
  handlers: ChannelHandlers,
): Promise<Channel & { era: Era }> {
  const only = target.kind === 'command' ? 'stdio' : 'in-memory';
  if (transport !== undefined && transport !== only) {
    throw new LongwireError(`${target.name} is reached by ${only}, and not by ${transport}`, {
      code: 'config',
      certainty: 'not-sent',
      hint: 'leave out transport',
    });
  }
  if (target.kind === 'server') return InMemoryChannel.open(target, { handlers, counts });
  return StdioChannel.open({ ...target, maxEventBytes, jsonBounds, handlers, counts });
}
