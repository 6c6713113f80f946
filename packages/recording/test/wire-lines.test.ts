import { createClient, type WireEvent } from '@longwire/client';
import { expect, it } from 'vitest';
import { startStreamable } from '../../../test/support/streamable-fixture.ts';
import {
  createRecorder,
  parseRecording,
  toLine,
  createHeader,
  type RecordedLine,
} from '../src/index.ts';

/** The lines as they are read again from a file. */
function written(lines: readonly RecordedLine[]): readonly RecordedLine[] {
  const text = [createHeader('test'), ...lines].map((line) => toLine(line)).join('');
  const { lines: read, skipped } = parseRecording(text);
  expect(skipped).toEqual({ unknown: 0, broken: 0, tooLarge: 0 });
  return read;
}

it('what passes is recorded with the calls, without secrets that the client knows', async () => {
  await using server = await startStreamable({ answers: 'json' });
  const lines: RecordedLine[] = [];
  const recorder = createRecorder({ write: (line) => lines.push(line) });
  await using client = createClient(`${server.url}?key=query-secret-1`, {
    headers: { authorization: 'Bearer header-secret-1' },
    middleware: [recorder.middleware('small')],
    observe: recorder.observe('small'),
  });
  await client.callTool('echo', { message: 'Bearer header-secret-1 and query-secret-1' });
  const read = written(lines);
  expect(JSON.stringify(read)).not.toMatch(/(?:header|query)-secret/);
  const attempt = read.find((line) => line.type === 'attempt');
  const id = attempt?.type === 'attempt' ? attempt.id : undefined;
  const [sent, received] = read.filter((line) => line.type === 'message' && line.id === id);
  expect(sent).toMatchObject({
    direction: 'sent',
    method: 'tools/call',
    bytes: expect.any(Number),
  });
  expect(received).toMatchObject({ direction: 'received', body: { content: [{ type: 'text' }] } });
  expect(received).not.toHaveProperty('method');
  expect(read.filter((line) => line.type === 'exchange' && line.id === id)).toMatchObject([
    { phase: 'sent', method: 'POST', url: server.url, bytesReceived: 0 },
    { phase: 'answered', status: 200, contentType: 'application/json' },
    { phase: 'ended', status: 200 },
  ]);
});

it('of a message that is too large the beginning is recorded', () => {
  const lines: RecordedLine[] = [];
  const recorder = createRecorder({ write: (line) => lines.push(line), maxValueBytes: 100 });
  const message = {
    jsonrpc: '2.0',
    id: 'x'.repeat(10_000),
    result: { text: 'y'.repeat(1_000_000) },
  };
  recorder.observe('big')({ type: 'message', direction: 'received', message, bytes: 1_000_042 });
  expect(written(lines)).toMatchObject([
    { id: 'x'.repeat(256), bytes: 1_000_042, body: { cut: expect.any(String), bytes: 1_000_011 } },
  ]);
  expect(JSON.stringify(lines).length).toBeLessThan(1000);
});

it('a process and what it writes are recorded, however it ends', () => {
  const lines: RecordedLine[] = [];
  const observe = createRecorder({ write: (line) => lines.push(line), now: () => 5 }).observe('p');
  const process = { type: 'process', pid: 7, command: 'node x' } as const;
  const events: WireEvent[] = [
    { ...process, phase: 'started', exitCode: undefined, signal: undefined },
    { type: 'output', from: 'stderr', pid: 7, line: `long ${'z'.repeat(10_000)}` },
    { ...process, phase: 'exited', exitCode: undefined, signal: 'SIGKILL' },
  ];
  for (const event of events) observe(event);
  const stamp = { at: 5, server: 'p' };
  expect(written(lines)).toEqual([
    { ...stamp, ...process, phase: 'started' },
    { ...stamp, type: 'output', from: 'stderr', line: `long ${'z'.repeat(1995)}` },
    { ...stamp, ...process, phase: 'exited', signal: 'SIGKILL' },
  ]);
});
