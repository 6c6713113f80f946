import type { Tool } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/redact.ts';
import { writeTypes } from '../../src/types/write-types.ts';

/** What a compiler reads of a file. */
function code(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, '');
}

function written(description: string, secret: string): string {
  const redactor = new Redactor();
  redactor.add(secret);
  const inputSchema = {
    type: 'object' as const,
    properties: { a: { type: 'string', description } },
  };
  const tool: Tool = { name: 'add', description, inputSchema };
  return writeTypes([{ name: 'calc', tools: [tool] }], {
    redact: (text) => redactor.message(text),
  }).text;
}

describe('what stands for a secret in a file of types', () => {
  // The server is sent the token, and gives the session its id: it knows what is replaced.
  it.each([
    ['at the end of a comment', 'token-1234567', 'token-1234567/ export const evil = 1; /*'],
    ['within an escaped end', '\\', '*/ export const evil = 1; /*'],
    ['on a line of several', 'token-1234567', 'One\ntoken-1234567/ }} export const evil = 1; /*'],
    ['in what is no comment', 'token-1234567', 'token-1234567/\n*/ export const evil = 1; /*'],
  ])('ends no comment: %s', (_where, secret, description) => {
    const text = written(description, secret);
    expect(text).not.toContain('token-1234567');
    expect(code(text)).not.toMatch(/evil|\*/);
  });
});
