import { Picture, type RecordedLine } from '../../src/index.ts';

/** A time in 2026, in milliseconds since 1970. */
export const BEGIN = 1_790_000_000_000;

type Members<Line> = Line extends { type: infer Type }
  ? { type: Type; at?: number; server?: string } & Omit<Line, 'type' | 'at' | 'server'>
  : never;

/** What must be said of a line: it is of `market`, and 10 ms after the one before. */
export type ShortLine = Members<RecordedLine>;

export function linesOf(lines: readonly ShortLine[]): RecordedLine[] {
  let at = BEGIN;
  return lines.map((line) => {
    at = line.at ?? at + 10;
    const server = line.type === 'gap' ? {} : { server: line.server ?? 'market' };
    return { ...line, at, ...server } as RecordedLine;
  });
}

export function pictureOf(...lines: readonly ShortLine[]): Picture {
  const picture = new Picture();
  for (const line of linesOf(lines)) picture.apply(line);
  return picture;
}

/** A call of a tool that is lost with its connection and sent again, one that fails, and one in flight. */
export const STORY: readonly ShortLine[] = [
  {
    type: 'server',
    target: 'https://[::1]:8443/mcp',
    transport: 'streamable-http',
    protocolVersion: '2025-11-25',
  },
  { type: 'state', state: 'ready', connectMs: 12 },
  {
    type: 'call',
    call: 1,
    method: 'tools/call',
    name: 'search',
    arguments: { text: 'a <b>' },
    by: { who: 'page' },
  },
  { type: 'attempt', call: 1, attempt: 1, id: 7 },
  {
    type: 'state',
    state: 'reconnecting',
    attempt: 1,
    reason: { code: 'connection-lost', certainty: 'outcome-unknown', message: 'it was reset' },
  },
  { type: 'state', state: 'ready', resumed: false },
  { type: 'attempt', call: 1, attempt: 2, id: 9 },
  { type: 'progress', call: 1, progress: 1, total: 2 },
  { type: 'call', call: 2, method: 'resources/read', name: 'file:///a', by: { call: 1 } },
  { type: 'attempt', call: 2, attempt: 1, id: 10 },
  {
    type: 'end',
    call: 2,
    outcome: 'error',
    durationMs: 10,
    error: { code: 'server-error', certainty: 'answered', number: -32002, message: 'no such file' },
  },
  { type: 'end', call: 1, outcome: 'result', durationMs: 90, result: { content: [] } },
  {
    type: 'notification',
    method: 'notifications/message',
    params: { level: 'warning', data: 'Hot' },
  },
  { type: 'error', error: { code: 'protocol', message: 'odd message' } },
  { type: 'call', call: 3, method: 'prompts/get', name: 'greet', server: 'files' },
  { type: 'call', call: 4, method: 'tools/call', name: 'write', server: 'files' },
  { type: 'attempt', call: 4, attempt: 1, server: 'files' },
  {
    type: 'end',
    call: 4,
    outcome: 'error',
    durationMs: 900,
    server: 'files',
    error: { code: 'timeout', certainty: 'outcome-unknown', message: 'no answer' },
  },
];
