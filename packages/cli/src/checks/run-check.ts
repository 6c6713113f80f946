import { LongwireError, ToolResultError } from '@longwire/client';
import { didYouMean } from '@longwire/client/internal';
import { verdictOf, type Check, type Ended, type Verdict } from '@longwire/recording';
import type { Context } from '../context.js';
import { summaryOf } from '../report-error.js';
import { operationOptions } from '../session.js';
import type { CheckedServer } from './checked-servers.js';

/** What became of a check. */
export interface CheckOutcome {
  readonly check: Check;
  readonly verdict: Verdict;
  /** How long the call took; `undefined` if it was not made. */
  readonly durationMs?: number;
  /** Why there is no answer, and what is known of the requests. */
  readonly failure?: { readonly error: unknown; readonly requests: Context['requests'] };
}

/** Runs a check. It fails only after an interruption. */
export async function runCheck(
  context: Context,
  server: CheckedServer,
  check: Check,
): Promise<CheckOutcome> {
  if ('error' in server) {
    const verdict: Verdict = { outcome: 'failed', reason: summaryOf(server.error) };
    return { check, verdict, failure: server };
  }
  const { client, tools, requests } = server;
  const { tool, arguments: args = {}, expect = {} } = check;
  if (!tools.has(tool)) {
    const difference = `the server has no such tool.${didYouMean(tool, [...tools.keys()])}`;
    return { check, verdict: { outcome: 'not-held', differences: [difference] } };
  }
  const { signal } = context.interruptions;
  const begin = performance.now();
  const [ended, error] = await client.callTool(tool, args, operationOptions(context)).then(
    (result) => [endedBy(result)] as const,
    (error: unknown) => [endedByError(error), error] as const,
  );
  signal.throwIfAborted();
  const durationMs = performance.now() - begin;
  const verdict = verdictOf(expect, ended);
  if (verdict.outcome !== 'failed') return { check, verdict, durationMs };
  return { check, verdict, durationMs, failure: { error, requests } };
}

function endedBy(result: { isError?: boolean | undefined }): Ended {
  return { outcome: result.isError === true ? 'tool-error' : 'result', result };
}

function endedByError(error: unknown): Ended {
  // It ran and answered: what it answered is looked at.
  if (error instanceof ToolResultError) return endedBy(error.result);
  const message = summaryOf(error);
  if (!(error instanceof LongwireError)) {
    return { outcome: 'error', error: { code: 'error', message } };
  }
  const { code, certainty } = error;
  return { outcome: 'error', error: { code, certainty, message } };
}
