import type { Random } from '@longwire/testing';

/** The tools of the server. */
export type ToolName = 'read' | 'put' | 'write';

/** What a call is, as far as sending it again is concerned. */
export type CallKind =
  /** Annotated `readOnlyHint`. */
  | 'read'
  /** Annotated `idempotentHint`. */
  | 'put'
  /** Annotated with nothing: it must never run twice. */
  | 'write'
  /** As `write`, but the caller says that it may run twice. */
  | 'marked';

/** Every kind of call. */
export const CALL_KINDS: readonly CallKind[] = ['read', 'put', 'write', 'marked'];

/** The arguments of every tool. */
export interface CallArguments {
  /** Which call this is, counted from 0. */
  key: number;
  /** The least length of the result. */
  sizeBytes: number;
  /** How long the tool takes. */
  delayMs: number;
  /** How often it tells its progress on the way. */
  steps: number;
}

/** One call of a run. */
export interface PlannedCall {
  kind: CallKind;
  tool: ToolName;
  args: CallArguments;
}

const inputSchema = {
  type: 'object',
  properties: {
    key: { type: 'integer' },
    sizeBytes: { type: 'integer' },
    delayMs: { type: 'integer' },
    steps: { type: 'integer' },
  },
  required: ['key', 'sizeBytes', 'delayMs', 'steps'],
};

/** The tools as the server lists them. */
export const TOOLS: readonly object[] = [
  { name: 'read', inputSchema, annotations: { readOnlyHint: true } },
  { name: 'put', inputSchema, annotations: { idempotentHint: true } },
  { name: 'write', inputSchema },
];

/** Draws a call: what kind it is, how large its result, how long it takes. */
export function drawCall(key: number, random: Random): PlannedCall {
  const kind = pick(random, [
    [0.35, 'read'],
    [0.2, 'put'],
    [0.35, 'write'],
    [0.1, 'marked'],
  ] as const);
  const sizeBytes = pick(random, [
    [0.85, random.below(200)],
    [0.12, random.below(5_000)],
    [0.03, random.below(200_000)],
  ]);
  const delayMs = random.chance(0.3) ? 1 + random.below(30) : 0;
  const steps = delayMs > 0 && random.chance(0.4) ? 1 + random.below(3) : 0;
  const tool = kind === 'marked' ? 'write' : kind;
  return { kind, tool, args: { key, sizeBytes, delayMs, steps } };
}

/** What a tool returns for its arguments. No two calls of a run have the same result. */
export function resultText(
  tool: string,
  { key, sizeBytes, delayMs, steps }: CallArguments,
): string {
  const head = `${tool} ${key} ${sizeBytes} ${delayMs} ${steps};`;
  return head + `${key},`.repeat(Math.ceil(sizeBytes / `${key},`.length));
}

function pick<T>(random: Random, shares: readonly (readonly [number, T])[]): T {
  let left = random.next();
  for (const [share, value] of shares) {
    left -= share;
    if (left < 0) return value;
  }
  return (shares.at(-1) as readonly [number, T])[1];
}
