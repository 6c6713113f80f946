import type { WorkflowEvent } from './event.js';
import type { Failure } from './failure.js';

/** An event that could not be handled, as a line of the dead-letter file. */
export interface DeadLetter {
  /** When it was given up, in ISO 8601. */
  time: string;
  workflow: string;
  /** The name of the trigger; none where the event began no run. */
  trigger?: string;
  /** The id of the run. */
  run?: string;
  event: WorkflowEvent;
  error: Failure;
}

/** What of a dead letter, or of a logged run, says how to take its event again. */
export type DeadLetterEvent = Pick<DeadLetter, 'trigger' | 'run' | 'event'>;
