import type Anthropic from '@anthropic-ai/sdk';
import type { DoneReason } from './events.js';

/**
 * What follows an answer: its calls are run, Claude continues, or the turn is done. `unrun` is what
 * Claude is told about calls that are not run.
 */
export type NextStep =
  | { type: 'run-tools' }
  | { type: 'continue' }
  | { type: 'done'; reason: DoneReason; unrun: string };

/** What was asked and answered so far. */
export interface Progress {
  stopReason: Anthropic.Message['stop_reason'];
  /** Whether the answer holds tool calls. */
  hasToolUse: boolean;
  /** How many answers of this turn were already followed by another. */
  rounds: number;
  maxRounds: number;
}

/** Decides by the API's stop reason: https://platform.claude.com/docs/en/api/handling-stop-reasons */
export function nextStep({ stopReason, hasToolUse, rounds, maxRounds }: Progress): NextStep {
  const cut = (reason: DoneReason, limit: string): NextStep => ({
    type: 'done',
    reason,
    unrun: `Not run: the answer was cut off at ${limit}, so that this call may be incomplete.`,
  });
  switch (stopReason) {
    case 'refusal':
      return { type: 'done', reason: 'refusal', unrun: '' };
    case 'max_tokens':
      return cut('max-tokens', 'the limit of tokens for one answer');
    case 'model_context_window_exceeded':
      return cut('context-window', "the end of the model's context");
    case 'stop_sequence':
      return cut('stop-sequence', 'a stop sequence');
    default: {
      // Calls need a result after an unknown reason, too.
      const continues = hasToolUse || stopReason === 'pause_turn';
      if (!continues) return { type: 'done', reason: 'end-turn', unrun: '' };
      if (rounds < maxRounds) return { type: hasToolUse ? 'run-tools' : 'continue' };
      const unrun = `Not run: this turn has reached its limit of ${maxRounds} rounds of tool calls.`;
      return { type: 'done', reason: 'max-rounds', unrun };
    }
  }
}
