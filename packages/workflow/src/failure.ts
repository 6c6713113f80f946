import { LongwireError, type Certainty, type ErrorCode } from '@longwire/client';

/**
 * Why a step or a run failed: a code of the client's errors, or
 *
 * - `tool-error`: the tool answered that it failed (`isError: true`).
 * - `outcome-unknown`: the process ended during the call, and repeating it is not safe.
 * - `expression`: a condition, a key or arguments could not be evaluated.
 * - `loop`: the run ends a chain of runs that seem to cause each other.
 * - `stopped`: the workflow was stopped, and without a journal the run cannot be resumed.
 * - `workflow-changed`: the run was begun with other steps than the file has now.
 */
export type FailureCode =
  | ErrorCode
  | 'tool-error'
  | 'outcome-unknown'
  | 'expression'
  | 'loop'
  | 'stopped'
  | 'workflow-changed';

/** A failure, as the error branch sees it in `error` and as the journal stores it. */
export interface Failure {
  code: FailureCode;
  message: string;
  /** How certain the outcome on the server is. */
  certainty: Certainty;
  /** The id of the step that failed. */
  step?: string;
}

/** Carries a failure up through the steps. */
export class StepFailure extends Error {
  override readonly name: string = 'StepFailure';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The workflow is stopping; the run stays as it is. */
export class Stopped extends Error {
  override readonly name: string = 'Stopped';
}

/** A failure that happened before anything was sent. */
export function notSent(code: FailureCode, message: string): Failure {
  return { code, message, certainty: 'not-sent' };
}

/** Converts an error of a call to a failure. If it is no error of the client, the outcome is unknown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof StepFailure) return error.failure;
  if (error instanceof LongwireError) {
    const { code, message, certainty } = error;
    return { code, message, certainty };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'server-error', message, certainty: 'outcome-unknown' };
}

/**
 * Whether a failed call may be retried: always if it did not run, otherwise only if running twice
 * does no harm.
 */
export function mayRepeat({ code, certainty }: Failure, isSafe: boolean): boolean {
  if (hopeless.has(code)) return false;
  // It ran, and would answer the same.
  if (certainty === 'answered' && unusable.has(code)) return false;
  return certainty === 'not-sent' || certainty === 'refused' || isSafe;
}

/** The answer arrived, but cannot be used. */
const unusable: ReadonlySet<FailureCode> = new Set(['protocol', 'tool-error', 'limit-exceeded']);

/** The same call would fail again. */
const hopeless: ReadonlySet<FailureCode> = new Set([
  'invalid-arguments',
  'unknown-tool',
  'config',
  'unauthorized',
  'forbidden',
  'closed',
  'expression',
]);
