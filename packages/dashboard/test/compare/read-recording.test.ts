import { expect, it } from 'vitest';
import { readRecording } from '../../src/compare/read-recording.ts';

const header = { type: 'recording', version: 1, at: 1, by: 'test' };
const textOf = (lines: readonly object[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const options = { signal: new AbortController().signal };

function calls(count: number, more: object = {}): object[] {
  return Array.from({ length: count }, (_, call) => [
    { type: 'call', at: call, server: 'ü', call, method: 'tools/call', name: 'a', ...more },
    { type: 'end', at: call, server: 'ü', call, outcome: 'result', durationMs: 5, result: 'r' },
  ]).flat();
}

it('reads a recording part by part, and keeps what is compared', async () => {
  const text = textOf([
    header,
    { type: 'catalogue', at: 1, server: 'ü', kind: 'tools', items: [{ name: 'a' }] },
    ...calls(20_000, { arguments: { text: 'ä'.repeat(50) } }),
    { type: 'call', at: 9, server: 'ü', call: 20_001, method: 'tools/call', name: 'a' },
  ]);
  // A line that has no end, and one that is none.
  const bytes = new TextEncoder().encode(`${text}no line\n{"type":"unknown"}`);
  // Parts end within characters, as those of a large file do.
  const parts = Array.from({ length: Math.ceil(bytes.length / 60_001) }, (_, part) =>
    bytes.subarray(part * 60_001, (part + 1) * 60_001),
  );
  const file = new File(parts, 'before.ndjson');
  const shares: number[] = [];
  const read = await readRecording(file, { ...options, onProgress: (share) => shares.push(share) });
  expect(read).toMatchObject({ name: 'before.ndjson', lines: 40_002, skipped: 2 });
  const server = read.picture.servers.get('ü');
  expect(server?.totals.calls).toBe(20_000);
  expect(server?.latenciesOf.get('a')?.count).toBe(20_000);
  expect(server?.catalogue.tools).toEqual([{ name: 'a' }]);
  expect(read.picture.ended.at(-1)).not.toHaveProperty('arguments');
  expect(read.picture.ended.at(-1)?.end).not.toHaveProperty('result');
  expect(shares.length).toBeGreaterThan(5);
  expect(shares.at(-1)).toBe(1);
});

it('says why a file is no recording', async () => {
  const reading = (text: string): Promise<unknown> => readRecording(new File([text], 'a'), options);
  await expect(reading('')).rejects.toThrow('it is empty');
  await expect(reading('# Notes\n')).rejects.toThrow('its first line is no header');
  await expect(reading(textOf([{ ...header, version: 7 }]))).rejects.toThrow('version 7');
  const endless = calls(100_001).filter((line) => 'method' in line);
  await expect(reading(textOf([header, ...endless]))).rejects.toThrow('have no end');
  const stopped = readRecording(new File([textOf([header])], 'a'), {
    signal: AbortSignal.abort(new Error('stopped')),
  });
  await expect(stopped).rejects.toThrow('stopped');
});
