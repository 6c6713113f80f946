import {
  BoundedWorker,
  sizeOf,
  withDigits,
  withIntegers,
  withMarks,
} from '@longwire/client/internal';

/** What expressions see. */
export interface ExpressionContext {
  /** The event that the run is about. */
  event: unknown;
  /** The results of the steps done so far, by id. */
  steps?: Readonly<Record<string, unknown>>;
  /** The result of the step before this one. */
  result?: unknown;
  /** In the error branch: what failed. */
  error?: unknown;
}

interface Job {
  source: string;
  context: ExpressionContext;
}

/** The value as JSON; undefined if the expression finds nothing. */
type Answer = string | undefined;

/** How long one expression may take, in milliseconds. */
const LIMIT_MS = 2000;

const MAX_MEMORY_MB = 512;

/** The most that an expression may see, so that copying it takes some ten milliseconds. */
const CONTEXT_BOUNDS = { maxNodes: 200_000, maxDepth: 500 } as const;

/** `stack` is how deep an expression may recurse. */
const SCRIPT = `
const jsonata = requireFrom('#jsonata');
const MAX_KEPT = 500;
const MAX_CHARACTERS = 16 * 1024 * 1024;
const kept = new Map();

/** The library's own pads to any width at once, which no memory limit stops. */
function pad(text, width, character) {
  if (text === undefined) return undefined;
  if (Math.abs(width) > 1_000_000) throw new Error('$pad: wider than 1000000');
  const missing = Math.max(0, Math.abs(width) - Array.from(text).length);
  const [filling = ' '] = character === '' ? [] : [character];
  const padding = Array.from(filling.repeat(missing)).slice(0, missing).join('');
  return width < 0 ? padding + text : text + padding;
}

function compile(source) {
  const expression = jsonata(source, { stack: 500 });
  expression.registerFunction('pad', pad, '<s-ns?:s>');
  kept.set(source, expression);
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value);
  return expression;
}

answer = async ({ source, context }) => {
  const expression = kept.get(source) ?? compile(source);
  const value = await expression.evaluate(context, {});
  // The library adds properties to its lists, and functions are not JSON.
  if (value === undefined || typeof value === 'function') return undefined;
  if (value?._jsonata_lambda || value?._jsonata_function) return undefined;
  const json = JSON.stringify(value) ?? 'null';
  if (json.length > MAX_CHARACTERS) throw new Error('it came to more than ' + MAX_CHARACTERS + ' characters');
  return json;
};
`;

/** One for all workflows; it starts with the first expression that is evaluated. */
const worker = new BoundedWorker<Job, Answer>({
  script: SCRIPT,
  importMetaUrl: import.meta.url,
  limitMs: LIMIT_MS,
  // Each evaluation ends soon; a waiting run loses nothing.
  maxWaitMs: Infinity,
  maxMemoryMb: MAX_MEMORY_MB,
  ownProcess: true,
});

/**
 * Evaluates an expression in a thread of another process, for at most two seconds: a regular
 * expression, or a list that an event makes long, would block this process.
 *
 * @throws Error that says why it failed.
 */
export async function evaluateInThread(
  source: string,
  context: ExpressionContext,
): Promise<unknown> {
  if (sizeOf(context, CONTEXT_BOUNDS) === Infinity) {
    throw new Error('the event and the results are too large for expressions');
  }
  // The library has no integers beyond 2^53: they pass through it unchanged, and arithmetic with them fails.
  const marked = withMarks(context);
  const outcome = await worker.run(() => ({ source, context: marked }));
  if (outcome.kind !== 'answered') throw new Error(withDigits(withIntegers(outcome.message)));
  const { answer } = outcome;
  return answer === undefined ? undefined : withIntegers(JSON.parse(answer) as unknown);
}
