import type { WorkflowEvent } from './event.js';
import type { Failure } from './failure.js';

/** An event that could not be handled, as a line of the dead-letter file. */
export interface DeadLetter {
  /** When it failed for good, in ISO 8601. */
  time: string;
  workflow: string;
  /** The name of the trigger; absent if the event began no run. */
  trigger?: string;
  /** The id of the run. */
  run?: string;
  event: WorkflowEvent;
  error: Failure;
}

/** The part of a dead letter, or of a logged run, that is needed to retry its event. */
export type DeadLetterEvent = Pick<DeadLetter, 'trigger' | 'run' | 'event'>;
