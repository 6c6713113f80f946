import { INTERNAL_ERROR, type JSONRPCMessage } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import { randomUUID } from 'node:crypto';

/** What a message is sent with. */
export interface MessageTextOptions {
  /** What is longer is not sent. */
  readonly maxMessageBytes: number;
  readonly log: FastifyBaseLogger;
}

/** A message and its JSON. */
export interface SentMessage {
  /** What is sent: an error in the place of an answer that cannot be. */
  readonly message: JSONRPCMessage;
  readonly text: string;
}

/**
 * A message as JSON. An answer that cannot be sent becomes an error, because its client waits for one.
 *
 * @throws what `JSON.stringify` throws, and RangeError, for a message that is no answer.
 */
export function messageText(
  message: JSONRPCMessage,
  { maxMessageBytes, log }: MessageTextOptions,
): SentMessage {
  try {
    const text = jsonOf(message);
    // A character of a string is a byte or more.
    if (text.length <= maxMessageBytes) return { message, text };
    throw new RangeError(`a message is longer than ${maxMessageBytes} bytes (maxBufferedBytes)`);
  } catch (error) {
    log.error(error, 'a message of the server cannot be sent');
    if ('method' in message) throw error;
    const failed = {
      jsonrpc: '2.0',
      ...(message.id !== undefined && { id: message.id }),
      error: {
        code: INTERNAL_ERROR,
        message: 'The answer cannot be sent: the log of the server says why',
      },
    } as const;
    return { message: failed, text: JSON.stringify({ ...failed, id: message.id ?? null }) };
  }
}

/** As JSON. A `bigint`, which is how a gateway reads an integer beyond 2^53, is the integer that it is. */
function jsonOf(message: JSONRPCMessage): string {
  try {
    return JSON.stringify(message);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // No text that somebody else wrote begins with it.
    const mark = `integer ${randomUUID()} `;
    const marked = JSON.stringify(message, (_name, part: unknown) =>
      typeof part === 'bigint' ? `${mark}${part}` : part,
    );
    return marked.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
  }
}
