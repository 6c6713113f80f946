import assert from 'node:assert/strict';

/** A content block as it is on the wire. */
export interface WireBlock {
  type: string;
  text?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  is_error?: boolean;
  content?: string | WireBlock[];
  source?: { type: string; media_type: string; data: string };
  signature?: string;
  cache_control?: unknown;
}

/** The body of a `POST /v1/messages`. */
export interface MessagesRequest {
  model: string;
  max_tokens: number;
  stream?: boolean;
  system?: string | WireBlock[];
  tools?: {
    name: string;
    description?: string;
    input_schema: Record<string, unknown>;
    cache_control?: unknown;
  }[];
  messages: { role: string; content: string | WireBlock[] }[];
  [key: string]: unknown;
}

const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/**
 * Fails unless the real API would take the request, as far as that can be told from the body: roles
 * alternate, every tool call has exactly one result, first in the next message and in order, and
 * the rules for text, images, errors, names, schemas, property names and cache breakpoints are kept.
 */
export function assertValidConversation(body: MessagesRequest): void {
  const { messages } = body;
  assert.ok(body.model, 'a model');
  assert.ok(Number.isInteger(body.max_tokens) && body.max_tokens > 0, 'max_tokens');
  assert.ok(messages.length > 0, 'at least one message');
  assert.equal(messages[0]?.role, 'user', 'the first message is the user’s');

  const seen = new Set<string>();
  messages.forEach(({ role, content }, index) => {
    const where = `messages.${index}`;
    assert.equal(role, index % 2 === 0 ? 'user' : 'assistant', `${where}: roles alternate`);
    const blocks = toBlocks(content);
    assert.ok(blocks.length > 0, `${where}: is not empty`);
    blocks.forEach((block, n) => assertBlock(block, role, `${where}.content.${n}`));

    const calls = role === 'assistant' ? idsOf(blocks) : [];
    for (const id of calls) {
      assert.ok(!seen.has(id), `${where}: the id ${id} is used once`);
      seen.add(id);
    }
    const next = toBlocks(messages[index + 1]?.content ?? []);
    const results = next.filter(({ type }) => type === 'tool_result');
    if (role === 'assistant') {
      assert.deepEqual(
        next.slice(0, calls.length).map(({ type, tool_use_id: id }) => [type, id]),
        calls.map((id) => ['tool_result', id]),
        `${where}: each call has its result, in order and first in the next message`,
      );
      assert.equal(results.length, calls.length, `${where}: no results without calls`);
    }
  });
  assert.ok(
    !toBlocks(messages[0]?.content ?? []).some(({ type }) => type === 'tool_result'),
    'no result before any call',
  );

  if (seen.size > 0) assert.ok(body.tools !== undefined, 'tools: defined where there are calls');
  assertTools(body.tools ?? []);
  if (body.tools !== undefined) assert.ok(body.tools.length > 0, 'tools: absent rather than empty');
  assert.ok(countBreakpoints(body) <= 4, 'at most four cache breakpoints');
}

/** How many cache breakpoints a request has. */
export function countBreakpoints(body: MessagesRequest): number {
  return JSON.stringify(body).split('"cache_control":{').length - 1;
}

function toBlocks(content: string | WireBlock[]): WireBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function idsOf(blocks: readonly WireBlock[]): string[] {
  return blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => id ?? '');
}

function assertBlock(block: WireBlock, role: string, where: string): void {
  const allowed: Record<string, string[]> = {
    user: ['text', 'image', 'document', 'tool_result'],
    assistant: ['text', 'thinking', 'redacted_thinking', 'tool_use'],
  };
  assert.ok(allowed[role]?.includes(block.type), `${where}: ${block.type} in a ${role} message`);
  if (block.type === 'text') assertText(block, where);
  if (block.type === 'image') assertImage(block, where);
  if (block.type === 'thinking') assert.ok(block.signature, `${where}: thinking is signed`);
  if (block.type === 'tool_use') {
    assert.match(block.id ?? '', /^[a-zA-Z0-9_-]+$/, `${where}: the id`);
    assert.match(block.name ?? '', /^[a-zA-Z0-9_-]{1,64}$/, `${where}: the name`);
    const isObject = typeof block.input === 'object' && block.input !== null;
    assert.ok(isObject && !Array.isArray(block.input), `${where}: the input is an object`);
  }
  if (block.type === 'tool_result') {
    const content = toBlocks(block.content ?? []);
    assert.ok(content.length > 0, `${where}: has content`);
    content.forEach((part, n) => {
      const isKnown = ['text', 'image', 'document'].includes(part.type);
      assert.ok(isKnown, `${where}.${n}: ${part.type}`);
      if (part.type === 'text') assertText(part, `${where}.${n}`);
      if (part.type === 'image') assertImage(part, `${where}.${n}`);
      if (part.type === 'document') {
        assert.equal(part.source?.media_type, 'application/pdf', `${where}.${n}: the media type`);
      }
      // "all content must be type 'text' if 'is_error' is true"
      if (block.is_error) assert.equal(part.type, 'text', `${where}.${n}: an error is text`);
    });
  }
}

function assertText(block: WireBlock, where: string): void {
  assert.ok((block.text ?? '').trim() !== '', `${where}: the text is not blank`);
  assert.ok(!/\p{Surrogate}/u.test(block.text ?? ''), `${where}: the text is well-formed`);
}

function assertImage(block: WireBlock, where: string): void {
  assert.equal(block.source?.type, 'base64', where);
  assert.ok(imageTypes.includes(block.source?.media_type ?? ''), `${where}: the media type`);
  assert.match(block.source?.data ?? '', /^[A-Za-z0-9+/]+={0,2}$/, `${where}: base64`);
}

function assertTools(tools: NonNullable<MessagesRequest['tools']>): void {
  const names = tools.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, 'the names of tools are unique');
  for (const { name, input_schema: schema } of tools) {
    assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/, 'the name of a tool');
    assert.equal(schema['type'], 'object', `${name}: the schema is of an object`);
    for (const key of ['anyOf', 'oneOf', 'allOf']) {
      assert.ok(!(key in schema), `${name}: no ${key} at the root of the schema`);
    }
    for (const key of Object.keys(schema['properties'] ?? {})) {
      assert.match(key, /^[a-zA-Z0-9_.-]{1,64}$/, `${name}: the name of a property`);
    }
  }
}
