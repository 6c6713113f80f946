import type { CallPicture, Picture, ServerPicture } from '../picture.js';
import { attemptSpansOf, callsOf, endOfCall } from './attempts.js';

/** An event of a Chrome trace. Times are microseconds. */
export interface ChromeTraceEvent {
  readonly name: string;
  readonly cat?: string;
  /** `M` metadata, `X` a span, `b` and `e` begin and end of an asynchronous one, `i` an instant. */
  readonly ph: 'M' | 'X' | 'b' | 'e' | 'i';
  readonly ts: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly id?: string;
  readonly s?: 't';
  readonly args?: Readonly<Record<string, unknown>>;
}

/** The threads of a server. */
const CONNECTION = 1;
const CALLS = 2;
const EVENTS = 3;

/**
 * A picture as a Chrome trace (a JSON array), which Perfetto and `chrome://tracing` open. A server is a
 * process: its connection, its calls with their attempts inside, its events. Time 0 is the first of
 * them, which is named beside each server.
 *
 * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
export function toChromeTrace(picture: Picture): ChromeTraceEvent[] {
  const calls = callsOf(picture);
  const servers = [...picture.servers.values()];
  const begin = beginOf(picture, calls);
  const ts = (at: number): number => Math.round(Math.max(0, at - begin) * 1000);
  const pids = new Map(servers.map(({ name }, index) => [name, index + 1]));
  const pidOf = (server: string): number => pids.get(server) ?? 0;
  const timed = [
    ...servers.flatMap((server) => statesOf(server, pidOf(server.name), { ts, now: picture.at })),
    ...calls.flatMap((call) => spansOf(call, pidOf(call.server), { ts, now: picture.at })),
    ...picture.events.map((event): ChromeTraceEvent => {
      const { server, at } = event;
      const place = { ts: ts(at), pid: pidOf(server), tid: EVENTS };
      if (event.type === 'error') {
        return {
          name: event.error.code,
          cat: 'error',
          ph: 'i',
          s: 't',
          ...place,
          args: { ...event.error },
        };
      }
      const { method: name, params } = event;
      return { name, cat: 'notification', ph: 'i', s: 't', ...place, args: { params } };
    }),
  ];
  const names = servers.flatMap((server) => namesOf(server, pidOf(server.name), begin));
  return [...names, ...timed.sort((a, b) => a.ts - b.ts)];
}

interface Clock {
  readonly ts: (at: number) => number;
  readonly now: number;
}

function beginOf({ servers, events, at }: Picture, calls: readonly CallPicture[]): number {
  let begin = at;
  for (const { states } of servers.values()) begin = Math.min(begin, states[0]?.from ?? at);
  for (const one of [calls[0], events[0]]) begin = Math.min(begin, one?.at ?? at);
  return begin;
}

function namesOf({ name, known }: ServerPicture, pid: number, begin: number): ChromeTraceEvent[] {
  const labels = [timeOf(begin), known.transport, known.target].filter(
    (label) => label !== undefined,
  );
  const metadata = (what: string, tid: number, args: object): ChromeTraceEvent => ({
    name: what,
    ph: 'M',
    ts: 0,
    pid,
    tid,
    args: { ...args },
  });
  return [
    metadata('process_name', 0, { name }),
    metadata('process_labels', 0, { labels: labels.join(', ') }),
    metadata('thread_name', CONNECTION, { name: 'connection' }),
    metadata('thread_name', CALLS, { name: 'calls' }),
    metadata('thread_name', EVENTS, { name: 'events' }),
  ];
}

function timeOf(at: number): string | undefined {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? undefined : `from ${time.toISOString()}`;
}

function statesOf({ states }: ServerPicture, pid: number, { ts, now }: Clock): ChromeTraceEvent[] {
  return states.map(({ state, from, to = now, attempt, reason }) => ({
    name: state,
    cat: 'connection',
    ph: 'X',
    ts: ts(from),
    dur: Math.max(0, ts(to) - ts(from)),
    pid,
    tid: CONNECTION,
    args: { ...(attempt !== undefined && { attempt }), ...(reason !== undefined && { reason }) },
  }));
}

/** Calls overlap, so that each is an asynchronous span of its own, with its attempts inside. */
function spansOf(call: CallPicture, pid: number, { ts, now }: Clock): ChromeTraceEvent[] {
  const { method, name, by, end, arguments: args } = call;
  const place = { cat: 'call', pid, tid: CALLS, id: `call ${call.call}` };
  const what = name === undefined ? method : `${method} ${name}`;
  const attempts = attemptSpansOf(call, now).flatMap(
    ({ attempt, from, to, id, cause }): ChromeTraceEvent[] => {
      const own = { ...place, name: `attempt ${attempt}` };
      return [
        {
          ...own,
          ph: 'b',
          ts: ts(from),
          args: { ...(id !== undefined && { id }), ...(cause !== undefined && { cause }) },
        },
        { ...own, ph: 'e', ts: ts(to) },
      ];
    },
  );
  return [
    {
      ...place,
      name: what,
      ph: 'b',
      ts: ts(call.at),
      args: {
        call: call.call,
        ...(by !== undefined && { by }),
        ...(args !== undefined && { arguments: args }),
      },
    },
    ...attempts,
    {
      ...place,
      name: what,
      ph: 'e',
      ts: ts(endOfCall(call, now)),
      args: end === undefined ? { unfinished: true } : { ...end },
    },
  ];
}
