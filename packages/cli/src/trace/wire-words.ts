import type { WireEvent, WireExchange, WireMessage } from '@longwire/client';
import { formatBytes } from '@longwire/recording/shown';
import { formatDuration } from '../durations.js';

/** How many requests are known whose answers are still to come. */
const MAX_OPEN = 10_000;

/** What a line of the trace is about, by which it has its colour. */
export type LineKind = 'sent' | 'received' | 'failed' | 'http' | 'process';

/** A line of the trace, not sanitized or redacted yet. */
export interface WireWords {
  kind: LineKind;
  text: string;
  /** What a message holds beside what the text says. */
  body?: unknown;
}

/** Says what passes between the command and one server. */
export class WireWriter {
  readonly #now: () => number;
  /** Requests without an answer so far, by who made them and their ids. */
  readonly #open = new Map<string, { method: string; at: number }>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The words for an event; `undefined` for one that another event says. */
  words(event: WireEvent): WireWords | undefined {
    switch (event.type) {
      case 'message':
        return this.#message(event);
      case 'exchange':
        return exchange(event);
      case 'process': {
        const { phase, pid, command, exitCode, signal } = event;
        const how = signal === undefined ? `with code ${exitCode ?? '?'}` : `by ${signal}`;
        const text =
          phase === 'started'
            ? `process ${pid} started: ${command}`
            : `process ${pid} exited ${how}`;
        return { kind: 'process', text: `* ${text}` };
      }
      case 'output':
        // It is shown without a trace, too.
        return undefined;
    }
  }

  #message({ direction, message, bytes }: WireMessage): WireWords {
    const kind = direction;
    const arrow = direction === 'sent' ? '→' : '←';
    const size = formatBytes(bytes);
    if ('method' in message) {
      const { method, params } = message;
      const isRequest = 'id' in message;
      if (isRequest && this.#open.size < MAX_OPEN) {
        this.#open.set(`${direction} ${message.id}`, { method, at: this.#now() });
      }
      const id = isRequest ? ` #${message.id}` : '';
      return { kind, text: `${arrow} ${method}${id}, ${size}`, body: params };
    }
    const key = `${direction === 'sent' ? 'received' : 'sent'} ${message.id}`;
    const asked = this.#open.get(key);
    this.#open.delete(key);
    const took = asked === undefined ? '' : `, ${formatDuration(this.#now() - asked.at)}`;
    const what = asked?.method ?? 'an answer';
    const isError = 'error' in message;
    const outcome = isError ? `error ${message.error.code}` : 'result';
    return {
      kind: isError ? 'failed' : kind,
      text: `${arrow} ${outcome} of ${what} #${message.id ?? 'null'}, ${size}${took}`,
      body: isError ? message.error : message.result,
    };
  }
}

function exchange(event: WireExchange): WireWords | undefined {
  const { phase, method, url, message, status, contentType, error } = event;
  const where = `${method} ${url}`;
  // A message that leaves says the same, and so does the end of an answer in one piece.
  if (phase === 'sent') {
    return message === undefined ? { kind: 'http', text: `↑ ${where}` } : undefined;
  }
  const isStream = contentType?.startsWith('text/event-stream') === true;
  const type = contentType === undefined ? '' : ` ${contentType.split(';', 1)[0] ?? ''}`;
  if (phase === 'answered') {
    if (!isStream || status === undefined || status >= 300) return undefined;
    return {
      kind: 'http',
      text: `↓ ${status}${type}, ${formatDuration(event.elapsedMs)}: ${where}`,
    };
  }
  const counts = [
    formatDuration(event.elapsedMs),
    ...(event.bytesSent > 0 ? [`${formatBytes(event.bytesSent)} sent`] : []),
    ...(event.bytesReceived > 0 ? [`${formatBytes(event.bytesReceived)} received`] : []),
  ].join(', ');
  // Of a status the error says no more, and what is closed from this side is no failure.
  const isFailure = error !== undefined && error.code !== 'closed';
  const why =
    isFailure && status === undefined ? `: ${error.summary.replace(`${where} `, '')}` : '';
  const what =
    status === undefined
      ? 'no answer'
      : isStream && status < 300
        ? `${status} ended`
        : `${status}${type}`;
  return {
    kind: isFailure || (status ?? 0) >= 400 ? 'failed' : 'http',
    text: `↓ ${what}, ${counts}: ${where}${why}`,
  };
}
