import type { RecordedLine } from './format.js';

/** Whether a member of a line is what it has to be. */
type Check = (value: unknown) => boolean;
type Line<Type extends RecordedLine['type']> = Extract<RecordedLine, { type: Type }>;
/** A check for each member, `type` aside. */
type Members<Of> = { readonly [Name in Exclude<keyof Of, 'type'>]-?: Check };

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value);
/** What a `Date` can be: whoever shows the line shows its time. */
const time: Check = (value) => number(value) && Math.abs(value as number) <= 8.64e15;
const positive: Check = (value) => number(value) && (value as number) >= 0;
const whole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const flag: Check = (value) => typeof value === 'boolean';
const anything: Check = () => true;
const object: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const oneOf =
  (...names: readonly unknown[]): Check =>
  (value) =>
    names.includes(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const having =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    object(value) && hasMembers(value as Record<string, unknown>, members);

const error = having({
  code: text,
  certainty: optional(oneOf('not-sent', 'refused', 'answered', 'outcome-unknown')),
  number: optional(number),
  message: text,
});
const of = { at: time, server: text };
const messageId = optional((value) => text(value) || number(value));

/** What each line has to be. A member that is not here may be anything. */
const LINES: { readonly [Type in RecordedLine['type']]: Members<Line<Type>> } = {
  server: {
    ...of,
    target: optional(text),
    transport: optional(text),
    protocolVersion: optional(text),
    info: optional(having({ name: text, version: text })),
    removed: optional(flag),
  },
  state: {
    ...of,
    state: oneOf('idle', 'connecting', 'ready', 'reconnecting', 'resting', 'closed'),
    attempt: optional(whole),
    nextDelayMs: optional(positive),
    connectMs: optional(positive),
    resumed: optional(flag),
    reason: optional(error),
  },
  call: {
    ...of,
    call: whole,
    method: text,
    name: optional(text),
    arguments: anything,
    by: optional((value) => having({ call: whole })(value) || having({ who: text })(value)),
  },
  attempt: {
    ...of,
    call: whole,
    attempt: whole,
    id: messageId,
  },
  progress: {
    ...of,
    call: whole,
    progress: number,
    total: optional(number),
    message: optional(text),
  },
  task: { ...of, call: whole, taskId: text, status: optional(text) },
  end: {
    ...of,
    call: whole,
    outcome: oneOf('result', 'tool-error', 'error'),
    durationMs: positive,
    result: anything,
    error: optional(error),
  },
  notification: { ...of, method: text, params: anything },
  error: { ...of, error },
  catalogue: {
    ...of,
    kind: oneOf('tools', 'resources', 'templates', 'prompts'),
    items: (value) => Array.isArray(value) && value.every(object),
  },
  health: {
    ...of,
    status: oneOf('healthy', 'degraded', 'down'),
    reason: optional(text),
    latencyMs: optional(positive),
  },
  authorization: {
    ...of,
    status: whole,
    durationMs: positive,
    decision: oneOf('retry', 'fail'),
    error: optional(error),
  },
  sessions: {
    ...of,
    open: (value) =>
      Array.isArray(value) &&
      value.every(having({ transport: text, protocolVersion: optional(text), count: whole })),
  },
  message: {
    ...of,
    direction: oneOf('sent', 'received'),
    bytes: whole,
    method: optional(text),
    id: messageId,
    body: anything,
  },
  exchange: {
    ...of,
    phase: oneOf('sent', 'answered', 'ended'),
    exchange: whole,
    method: text,
    url: text,
    id: messageId,
    status: optional(whole),
    contentType: optional(text),
    bytesSent: whole,
    bytesReceived: whole,
    elapsedMs: positive,
    error: optional(error),
  },
  process: {
    ...of,
    phase: oneOf('started', 'exited'),
    pid: whole,
    command: text,
    exitCode: optional(number),
    signal: optional(text),
  },
  output: { ...of, from: oneOf('stderr', 'stdout'), line: text },
  gap: { at: time, count: whole },
};

/** The same as lists, which are gone through for each line. */
const MEMBERS: ReadonlyMap<string, readonly (readonly [name: string, check: Check])[]> = new Map(
  Object.entries(LINES).map(([type, members]) => [type, Object.entries(members)]),
);

/**
 * The line that a JSON value is, with the members that its type has: `undefined` for a type that this
 * version does not know, `false` for what is no such line.
 */
export function lineOf(value: Readonly<Record<string, unknown>>): RecordedLine | false | undefined {
  const { type } = value;
  const members = typeof type === 'string' ? MEMBERS.get(type) : undefined;
  if (members === undefined) return undefined;
  const line: Record<string, unknown> = { type };
  for (const [name, check] of members) {
    const member = value[name];
    if (!check(member)) return false;
    if (member !== undefined) line[name] = member;
  }
  return line as unknown as RecordedLine;
}

function hasMembers(
  value: Readonly<Record<string, unknown>>,
  members: Readonly<Record<string, Check>>,
): boolean {
  return Object.entries(members).every(([name, check]) => check(value[name]));
}
