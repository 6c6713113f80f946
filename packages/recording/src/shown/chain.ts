import type { CertaintyName, RecordedError } from '../format.js';
import type { CallPicture, ServerPicture } from '../picture.js';
import { isObject } from './json.js';
import { CERTAINTIES, OUTCOMES, outcomeOf, type Tone } from './words.js';

/** One link of what happened to a call. */
export interface ChainStep {
  readonly sign: string;
  readonly tone: Tone;
  readonly title: string;
  /** Why, in one sentence of ours. */
  readonly why?: string;
  /** What the server or the network said. */
  readonly said?: string;
  /** In milliseconds since 1970. */
  readonly at?: number;
}

/** Why a call that failed was not sent again, by what is certain of it. */
const NOT_AGAIN: Readonly<Record<CertaintyName, string>> = {
  'not-sent': 'It never left, so it did not run. Call it again.',
  refused: 'The server refused it, so it did not run. Call it again when the reason is gone.',
  answered: 'The server answered. To send it again mostly gets the same answer.',
  'outcome-unknown':
    'It may have run, and it is not known to be safe to run twice. Look at the server first.',
};

/** Errors that end a call from this side, whatever the connection does. */
const ENDED_HERE: Readonly<Record<string, string>> = {
  aborted: 'It was cancelled here.',
  timeout: 'No answer and no progress came in time.',
  deadline: 'It did not end before its deadline.',
  closed: 'The client was closed.',
};

/** What happened to a call, link by link: called, sent, connection lost, sent again or not, and why. */
export function chainOf(call: CallPicture, server: ServerPicture | undefined): ChainStep[] {
  const steps: ChainStep[] = [calledStep(call)];
  for (const { attempt, at, cause, lostAt } of call.attempts) {
    if (attempt === 1) {
      steps.push({ sign: '→', tone: 'quiet', title: 'Sent', at });
      continue;
    }
    steps.push(lostStep(cause, lostAt));
    steps.push({
      sign: '⟳',
      tone: 'busy',
      title: `Sent again, attempt ${attempt}`,
      why: whyAgain(call, server),
      at,
    });
  }
  if (call.attempts.length === 0 && call.end === undefined) steps.push(waitingStep(server));
  if (call.task !== undefined) steps.push(taskStep(call.task));
  return [...steps, ...endSteps(call)];
}

function calledStep({ at, by }: CallPicture): ChainStep {
  const base = { sign: '●', tone: 'quiet', at } as const;
  if (by === undefined) return { ...base, title: 'Called' };
  return {
    ...base,
    title: 'call' in by ? `Called, because of call ${by.call}` : 'Called',
    ...('who' in by && { said: `by ${by.who}` }),
  };
}

function lostStep(cause: RecordedError | undefined, at?: number): ChainStep {
  return {
    sign: '⚡',
    tone: 'warning',
    title:
      cause?.code === 'connection-lost' || cause === undefined ? 'Connection lost' : cause.code,
    ...(cause !== undefined && { said: cause.message }),
    ...(at !== undefined && { at }),
  };
}

function taskStep({ at, taskId, status }: NonNullable<CallPicture['task']>): ChainStep {
  const how = status === undefined ? '' : `, ${status.replace('_', ' ')}`;
  return {
    sign: '◷',
    tone: 'busy',
    title: 'Became a task',
    said: `${taskId}${how}`,
    why: 'Its server keeps the answer, whatever the connection does.',
    at,
  };
}

function waitingStep(server: ServerPicture | undefined): ChainStep {
  const state = server?.states.at(-1)?.state;
  return {
    sign: '…',
    tone: 'busy',
    title: 'Not sent yet',
    ...(state !== undefined && state !== 'ready' && { why: `The connection is ${state}.` }),
  };
}

/** What makes a call safe to send again, as far as its picture shows it. */
function whyAgain({ method, name }: CallPicture, server: ServerPicture | undefined): string {
  if (method !== 'tools/call') return `It only reads: ${method} may run twice.`;
  const tool = server?.catalogue.tools?.find((one) => one['name'] === name);
  const hints = isObject(tool?.['annotations']) ? tool['annotations'] : {};
  if (hints['readOnlyHint'] === true) return 'Its tool only reads (readOnlyHint).';
  if (hints['idempotentHint'] === true) return 'Its tool may run twice (idempotentHint).';
  return 'It had not run, or its program says that it may run twice.';
}

function endSteps(call: CallPicture): ChainStep[] {
  const { end } = call;
  const outcome = outcomeOf(call);
  if (end === undefined) return [];
  const { sign, tone, meaning } = OUTCOMES[outcome];
  if (outcome === 'result') return [{ sign, tone, title: 'Answered', why: meaning, at: end.at }];
  if (outcome === 'tool-error') {
    return [{ sign, tone, title: 'Answered with an error', why: meaning, at: end.at }];
  }
  const { error } = end;
  const certainty = error?.certainty ?? 'answered';
  const steps: ChainStep[] = [];
  if (error?.code === 'connection-lost' && call.attempts.length > 0) steps.push(lostStep(error));
  const isAnswered = certainty === 'answered';
  const endedHere =
    error !== undefined && Object.hasOwn(ENDED_HERE, error.code)
      ? ENDED_HERE[error.code]
      : undefined;
  steps.push({
    sign: CERTAINTIES[certainty].sign,
    tone: CERTAINTIES[certainty].tone,
    title: isAnswered
      ? 'Answered with an error'
      : call.attempts.length === 0
        ? 'Not sent'
        : `${endedHere === undefined ? 'Not sent again' : 'Ended'}: ${certainty}`,
    why:
      endedHere === undefined
        ? NOT_AGAIN[certainty]
        : `${endedHere} ${CERTAINTIES[certainty].meaning}`,
    at: end.at,
    ...(error !== undefined && steps.length === 0 && { said: error.message }),
  });
  return steps;
}
