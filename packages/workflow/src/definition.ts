import type { CommandTarget, LoggingLevel } from '@longwire/client';
import type { Position } from './errors.js';
import type { Expression, Template } from './expression.js';

/** How often a failed call is retried. */
export interface StepRetry {
  /** The most calls, the first one included. */
  maxAttempts: number;
  /** The delay before the first retry, in milliseconds; it doubles each time, up to 30 000. */
  delayMs: number;
}

/** What every step has. */
interface StepBase {
  /** The name of its result in expressions. */
  id: string;
  /** Where it is in its trigger, as in `then[1].call`: its name in the journal. */
  path: string;
  at: Position;
  /** If this is false, the step and what follows it are skipped. */
  where: Expression | undefined;
  /** What its expressions look up. */
  reads: readonly Read[];
  /** What comes after it, in order: its `then`. */
  next: readonly Step[];
}

/** A call of a tool. */
export interface CallStep extends StepBase {
  kind: 'call';
  /** `tool`, of the server that the event came from, or `server/tool`. */
  call: string;
  arguments: Template;
  /** Gives the principal that it is made for; `undefined`: nobody but the source. */
  as: Expression | undefined;
  retry: StepRetry;
  /** Whether running twice does no harm; `undefined`: what the tool's annotations say. */
  idempotent: boolean | undefined;
  timeoutMs: number | undefined;
}

/** Steps that run side by side. Its result is the list of theirs. */
export interface ParallelStep extends StepBase {
  kind: 'parallel';
  branches: readonly Step[];
}

/** One step of a workflow. */
export type Step = CallStep | ParallelStep;

/** Which events a trigger is about. */
export type EventFilter =
  | { kind: 'name'; name: string }
  | { kind: 'log'; level: LoggingLevel }
  | { kind: 'resource'; pattern: string; isGlob: boolean };

/** What happens on an event. */
export interface Trigger {
  /** Unlike that of all others: its `id`, else `on` with its place in the list. */
  name: string;
  at: Position;
  filter: EventFilter;
  /** Which servers, as a pattern. */
  from: string;
  fromAt: Position;
  where: Expression | undefined;
  /** What its `where` and `key` look up. */
  reads: readonly Read[];
  /** Of the runs with the same value, one runs at a time, in the order of the events. */
  key: Expression | undefined;
  debounceMs: number | undefined;
  /** For how long a key is accepted once, in milliseconds; `Infinity`: as long as it is stored. */
  dedupeMs: number | undefined;
  steps: readonly Step[];
  catch: readonly Step[];
  /** Changes when the steps do. */
  fingerprint: string;
}

/** A server that a workflow file names: its URL, or the command that starts it. */
export type NamedServer = string | CommandTarget;

/** A workflow that is parsed and checked; made by `parseWorkflow`. */
export interface Workflow {
  /** The file, as it was named. */
  file: string;
  name: string;
  /** How many runs are active at a time. Default 4. */
  concurrency: number;
  /** How many runs a minute may each be caused by the one before. Default 1000. */
  maxChain: number;
  /** The servers that the file names, which are for the program to connect to. */
  servers: Readonly<Record<string, NamedServer>>;
  triggers: readonly Trigger[];
}

/** All the steps of a list, nested ones included, in the order of the file. */
export function allSteps(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [
    step,
    ...(step.kind === 'parallel' ? allSteps(step.branches) : []),
    ...allSteps(step.next),
  ]);
}

/** A path in an expression of a workflow file: what it looks up, and its position. */
export interface Read {
  /** As in `triggers[0].where`. */
  place: string;
  names: readonly string[];
  /** Where in the file each name is. */
  at: readonly Position[];
}
