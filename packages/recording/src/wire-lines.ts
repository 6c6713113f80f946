import { rounded } from './clock.js';
import type {
  ExchangeLine,
  MessageLine,
  OutputLine,
  ProcessLine,
  RecordedError,
} from './format.js';
import type { RecordableError, RecordableWireEvent } from './recordable.js';
import { firstChars } from './values.js';

/** Whoever asks chooses the ids of its requests, and may choose long ones. */
const MAX_ID_CHARS = 256;

/** How what a line holds is kept: without secrets, and cut. */
export interface WireKeeping {
  text(text: string): string;
  value(value: unknown): unknown;
  error(error: RecordableError): RecordedError;
}

type Unstamped<Line> = Omit<Line, 'at' | 'server'>;

/** The line for what passed between a client and its server, without its time and server. */
export function wireLine(
  event: RecordableWireEvent,
  keep: WireKeeping,
):
  | Unstamped<MessageLine>
  | Unstamped<ExchangeLine>
  | Unstamped<ProcessLine>
  | Unstamped<OutputLine> {
  switch (event.type) {
    case 'message': {
      const { direction, bytes } = event;
      const message: Readonly<Record<string, unknown>> = { ...event.message };
      const { method } = message;
      const body = keep.value(message['params'] ?? message['result'] ?? message['error']);
      return {
        type: 'message',
        direction,
        ...(typeof method === 'string' && { method: keep.text(method) }),
        ...idOf(message),
        bytes,
        ...(body !== undefined && { body }),
      };
    }
    case 'exchange': {
      const { phase, exchange, method, status, contentType, error } = event;
      return {
        type: 'exchange',
        phase,
        exchange,
        method,
        url: keep.text(event.url),
        ...idOf({ ...event.message }),
        ...(status !== undefined && { status }),
        ...(contentType !== undefined && { contentType: keep.text(contentType) }),
        bytesSent: event.bytesSent,
        bytesReceived: event.bytesReceived,
        elapsedMs: rounded(event.elapsedMs),
        ...(error !== undefined && { error: keep.error(error) }),
      };
    }
    case 'process': {
      const { phase, pid, exitCode, signal } = event;
      return {
        type: 'process',
        phase,
        pid,
        command: keep.text(event.command),
        ...(exitCode !== undefined && { exitCode }),
        ...(signal !== undefined && { signal }),
      };
    }
    case 'output':
      return { type: 'output', from: event.from, line: keep.text(event.line) };
  }
}

/** The id of a request or an answer, as a line has it. */
export function idOf({ id }: { id?: unknown }): { id?: number | string } {
  if (typeof id === 'number') return { id };
  return typeof id === 'string' ? { id: firstChars(id, MAX_ID_CHARS) } : {};
}
