import { LongwireError, type Certainty, type ErrorCode } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { takeUpCommand, taskError } from '../../src/tasks/task-words.ts';

const place = { server: 'https://mcp.example.com/mcp', isSession: false };

describe('takeUpCommand', () => {
  it('is a whole command, in a session one of its lines', () => {
    expect(takeUpCommand('a1', place)).toBe('longwire task https://mcp.example.com/mcp a1');
    expect(takeUpCommand('a1', { ...place, server: undefined })).toBe('longwire task a1');
    expect(takeUpCommand('a1', { server: 'market', isSession: true })).toBe('task market a1');
  });

  it('does nothing that the server says when it is pasted', () => {
    expect(takeUpCommand('$(touch x); \u001b[31m`y`', { ...place, server: undefined })).toBe(
      "longwire task '$(touch x); `y`'",
    );
    expect(takeUpCommand("it's\nrm", { ...place, server: undefined })).toBe(
      "longwire task 'it'\\''s rm'",
    );
  });
});

describe('taskError', () => {
  const failed = (code: ErrorCode, certainty: Certainty = 'outcome-unknown'): LongwireError =>
    new LongwireError('it failed', { code, certainty, taskId: 'a1' });
  const followed = { isLeft: false, isCancelled: false, place };
  const takesUp = 'longwire task https://mcp.example.com/mcp a1 takes it up';

  it.each<[string, LongwireError, Parameters<typeof taskError>[2], string]>([
    [
      'it is left',
      failed('aborted'),
      { ...followed, isLeft: true },
      `the task a1 goes on; ${takesUp}`,
    ],
    [
      'the call was not in time',
      failed('timeout'),
      { ...followed, isCancelled: true },
      'it failed; the task a1 was cancelled; a longer --timeout allows more',
    ],
    [
      'the server is away',
      failed('deadline'),
      followed,
      `the task a1 has not ended in time, and may go on: ${takesUp}; a longer --deadline allows more`,
    ],
    [
      'the connection is lost',
      failed('connection-lost'),
      followed,
      `it failed; the task a1 may go on: ${takesUp}`,
    ],
    ['the server has the last word', failed('server-error', 'answered'), followed, 'it failed'],
    ['somebody has cancelled it', failed('aborted'), followed, 'it failed'],
    [
      'its server has ended with the command',
      failed('connection-lost'),
      { ...followed, place: undefined },
      'it failed',
    ],
  ])('says what is known where %s', (_what, error, options, message) => {
    const told = taskError(error, 'a1', options);
    expect(told.message).toBe(message);
    expect([told.code, told.certainty, told.taskId]).toEqual([error.code, error.certainty, 'a1']);
  });
});
