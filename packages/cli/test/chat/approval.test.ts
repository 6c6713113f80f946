import { describe, expect, it } from 'vitest';
import { approvalQuestion, createApproval } from '../../src/chat/approval.ts';
import type { Context } from '../../src/context.ts';
import { Redactor } from '../../src/redact.ts';

const redactor = new Redactor();
redactor.add('key-of-this-test');

describe('the question before a call', () => {
  it('names the tool, the server and the arguments', () => {
    const request = { tool: 'add', server: 'h:1', arguments: { a: 1 } };
    expect(approvalQuestion(request, redactor)).toBe(
      'Let Claude call "add" of "h:1" with {"a":1}?',
    );
  });

  it('cannot be written by a server', () => {
    const tool = 'x" of "h" with {}? (y/N) y\n\u2028✔ Let Claude call "read';
    const question = approvalQuestion(
      { tool, server: `\u202e${'s'.repeat(500)}`, arguments: { a: '\n\u2028\u202e\u009b' } },
      redactor,
    );
    expect(question).not.toMatch(/[\n\u2028\u202e\u009b]/);
    expect(question).toContain('"x\\" of \\"h\\" with {}?');
    expect(question.length).toBeLessThan(350);
  });

  it('shows no key, also not half of one at the cut', () => {
    const question = approvalQuestion(
      { tool: 't', server: 's', arguments: { a: `${'x'.repeat(1985)}key-of-this-test` } },
      redactor,
    );
    expect(question).not.toContain('key-of');
  });

  it('is not asked where nobody is, and Claude is told so', async () => {
    const terminal = { canAsk: () => false, remark: () => undefined };
    const approve = createApproval({ terminal } as unknown as Context, { yes: false });
    const signal = new AbortController().signal;
    const request = { tool: 't', server: 's', arguments: {}, annotations: undefined, signal };
    expect(await approve(request)).toEqual({
      allow: false,
      reason: 'nobody could be asked for permission',
    });
  });
});
