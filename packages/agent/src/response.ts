import type Anthropic from '@anthropic-ai/sdk';
import { withExactInputs } from './exact-input.js';
import type { TextEvent, ThinkingEvent } from './events.js';

/** One answer of the API as it streams in. */
export class StreamedResponse {
  #text = '';
  #message: Anthropic.Message | undefined;
  #isSilent = true;

  /** The text so far. */
  get text(): string {
    return this.#text;
  }

  /** Whether no event of it was emitted yet. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** The whole answer; undefined until it has been read to its end. */
  get message(): Anthropic.Message | undefined {
    return this.#message;
  }

  /**
   * Asks the API and reads the answer.
   *
   * @throws what the SDK throws, unchanged.
   */
  async *read(
    anthropic: Anthropic,
    params: Anthropic.MessageStreamParams,
    signal: AbortSignal,
  ): AsyncGenerator<TextEvent | ThinkingEvent, void, undefined> {
    /** The arguments of calls, by the index of their block. */
    const written = new Map<number, string>();
    const stream = anthropic.messages.stream(params, { signal });
    for await (const event of stream) {
      if (event.type !== 'content_block_delta') continue;
      if (event.delta.type === 'input_json_delta') {
        const { index, delta } = event;
        written.set(index, (written.get(index) ?? '') + delta.partial_json);
      }
      if (event.delta.type === 'text_delta') {
        this.#text += event.delta.text;
        this.#isSilent = false;
        yield { type: 'text', text: event.delta.text };
      } else if (event.delta.type === 'thinking_delta') {
        this.#isSilent = false;
        yield { type: 'thinking', text: event.delta.thinking };
      }
    }
    // If the stream fails while nothing waits for an event, the iteration ends without an error.
    const message = await stream.finalMessage();
    this.#message = { ...message, content: withExactInputs(message.content, written) };
  }
}
