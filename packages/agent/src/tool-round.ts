import type Anthropic from '@anthropic-ai/sdk';
import { isObject } from '@longwire/client/internal';
import { UNKNOWN_OUTCOME } from './call-failure.js';
import { errorResultBlock } from './tool-results.js';

const notStarted = 'Interrupted: the turn was stopped before this call started. It did not run.';
const inFlight = `Interrupted: the turn was stopped while this call was in flight, and ${UNKNOWN_OUTCOME}`;

/**
 * The tool calls of one answer and their results. Each call has a result at any moment, so a turn can
 * end anywhere, and so can the process.
 */
export class ToolRound {
  /** The answer, calls included, as it goes into the conversation. */
  readonly content: readonly Anthropic.ContentBlockParam[];
  /** The calls, in order. */
  readonly uses: readonly Anthropic.ToolUseBlock[];
  readonly #results: Map<string, Anthropic.ToolResultBlockParam>;

  /** Called with each result. */
  readonly #onSettled: ((result: Anthropic.ToolResultBlockParam) => void) | undefined;

  constructor(
    content: readonly Anthropic.ContentBlock[],
    options: { note?: string; onSettled?: (result: Anthropic.ToolResultBlockParam) => void } = {},
  ) {
    const { note = notStarted, onSettled } = options;
    this.#onSettled = onSettled;
    this.content = content.map(asParam);
    this.uses = content.filter((block) => block.type === 'tool_use');
    this.#results = new Map(this.uses.map(({ id }) => [id, errorResultBlock(id, note)]));
  }

  /** A call is sent: if it is interrupted now, its outcome is unknown. */
  started(id: string): void {
    this.#results.set(id, errorResultBlock(id, inFlight));
  }

  /** A call has its result. */
  settled(result: Anthropic.ToolResultBlockParam): void {
    this.#results.set(result.tool_use_id, result);
    this.#onSettled?.(result);
  }

  /**
   * A result for every call, for a program that keeps them now and may be killed later: a call that has
   * no result yet may be sent at any moment.
   */
  provisional(): Anthropic.ToolResultBlockParam[] {
    return this.uses.map(({ id }) => errorResultBlock(id, inFlight));
  }

  /** A result for every call, in the order of the calls. */
  results(): Anthropic.ToolResultBlockParam[] {
    return [...this.#results.values()];
  }
}

/** The API accepts only inputs that are objects, and names made of its letters. */
function asParam(block: Anthropic.ContentBlock): Anthropic.ContentBlockParam {
  if (block.type !== 'tool_use') return block;
  const name = block.name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 128) || 'unknown';
  if (name === block.name && isObject(block.input)) return block;
  return { ...block, name, input: isObject(block.input) ? block.input : {} };
}
