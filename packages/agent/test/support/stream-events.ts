import type { StreamEvent } from './recording-proxy.ts';

const usage = { input_tokens: 10, output_tokens: 1 };

/** The beginning of an answer, for streams that the scripted API cannot produce. */
export function messageStart(): StreamEvent {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-test',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
  return { type: 'message_start', message };
}

/** A text block, whole. */
export function textBlock(index: number, text: string): StreamEvent[] {
  return [
    { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index },
  ];
}

/** A thinking block, whole. */
export function thinkingBlock(index: number, thinking: string, signature: string): StreamEvent[] {
  const block = { type: 'thinking', thinking: '', signature: '' };
  return [
    { type: 'content_block_start', index, content_block: block },
    { type: 'content_block_delta', index, delta: { type: 'thinking_delta', thinking } },
    ...(signature === ''
      ? []
      : [{ type: 'content_block_delta', index, delta: { type: 'signature_delta', signature } }]),
    { type: 'content_block_stop', index },
  ];
}

/** A tool call with its input as it was streamed, which may be cut. */
export function toolUseBlock(
  index: number,
  use: { id: string; name: string; json: string },
): StreamEvent[] {
  const { id, name, json } = use;
  const block = { type: 'tool_use', id, name, input: {} };
  const delta = { type: 'input_json_delta', partial_json: json };
  return [
    { type: 'content_block_start', index, content_block: block },
    { type: 'content_block_delta', index, delta },
    { type: 'content_block_stop', index },
  ];
}

/** The end of an answer. */
export function messageEnd(
  stopReason: string | null,
  details: Record<string, unknown> = {},
): StreamEvent[] {
  return [
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason, stop_sequence: null, ...details },
      usage: { output_tokens: 5 },
    },
    { type: 'message_stop' },
  ];
}
