import type { JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { Channel, ChannelHandlers, Dialect, Era } from '../channels/channel.js';
import { InMemoryChannel } from '../channels/in-memory.js';
import type { JsonBounds } from '../channels/json.js';
import { StdioChannel } from '../channels/stdio.js';
import type { TrafficCounts } from '../channels/traffic-counts.js';
import { ConnectionLostError, LongwireError } from '../errors.js';
import { eraOf, inNamedVersion, isModernOnly, otherwise, type Introduction } from './eras.js';
import { FirstAnswer } from './first-answer.js';
import type { Connected } from './handshake.js';
import type { MountedTarget, ProcessTarget } from './target.js';

/** What a handshake with a server of our own needs. */
export interface ProcessHandshakeOptions {
  target: ProcessTarget | MountedTarget;
  /** Speak this dialect and no other. */
  transport: Dialect | undefined;
  introduction: Introduction;
  handlers: ChannelHandlers;
  /** What one line may hold. */
  maxEventBytes: number;
  /** What one message may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds | undefined;
  counts: TrafficCounts;
  /** Ends the handshake. Its reason is a LongwireError. */
  signal: AbortSignal;
}

/**
 * Starts a process, or mounts a server, and shakes hands: `initialize` first, whatever is preferred,
 * because there are servers that end when they are asked anything else; only one that does not know
 * it is of the modern era.
 *
 * @throws LongwireError
 */
export async function shakeHandsWithin(options: ProcessHandshakeOptions): Promise<Connected> {
  const { introduction, signal } = options;
  const first = new FirstAnswer(options.handlers);
  const channel = await openWithin(options, first);
  const ask = (request: JSONRPCRequest, era: Era) => {
    channel.era = era;
    return first.to(untilItsEnd(channel), request, signal);
  };
  const { discover, initialize, questions } = introduction;
  try {
    let answer: JSONRPCResponse | undefined;
    if (questions.includes('initialize')) {
      answer = await ask(initialize, 'legacy');
      const again = inNamedVersion(answer, initialize);
      if (again !== undefined) answer = await ask(again, 'legacy');
    }
    const mayBeModern = questions.includes('discover') && (!answer || isModernOnly(answer));
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
  const summary = `${name} does not know server/discover: ${otherwise(answer)}`;
  return new LongwireError(summary, { code: 'not-mcp', certainty: 'refused' });
}

/** A process that does not answer may have said why; one that has ended is quoted already. */
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
 * A process that has ended breaks the pipe to it before anybody hears of its end, which is what says
 * why, and always follows.
 */
function untilItsEnd(channel: Channel): Pick<Channel, 'send'> {
  if (channel.dialect !== 'stdio') return channel;
  return {
    send: (message) =>
      channel.send(message).catch((error: unknown) => {
        if (!(error instanceof ConnectionLostError)) throw error;
        return new Promise<never>(() => {});
      }),
  };
}

/** What opens too late is closed. */
async function openWithin(
  options: ProcessHandshakeOptions,
  handlers: ChannelHandlers,
): Promise<Channel & { era: Era }> {
  const { signal } = options;
  const opening = open(options, handlers);
  let giveUp = (): void => {};
  const ended = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason as LongwireError);
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([opening, ended]);
  } catch (error) {
    void opening.then((late) => late.close()).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

async function open(
  { target, transport, maxEventBytes, jsonBounds, counts }: ProcessHandshakeOptions,
  handlers: ChannelHandlers,
): Promise<Channel & { era: Era }> {
  const dialect = target.kind === 'command' ? 'stdio' : 'in-memory';
  if (transport !== undefined && transport !== dialect) {
    throw new LongwireError(`${target.name} is reached by ${dialect}, and not by ${transport}`, {
      code: 'config',
      certainty: 'not-sent',
      hint: 'leave out transport',
    });
  }
  if (target.kind === 'server') return InMemoryChannel.open(target, { handlers, counts });
  return StdioChannel.open({ ...target, maxEventBytes, jsonBounds, handlers, counts });
}
