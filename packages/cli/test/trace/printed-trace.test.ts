import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { WireEvent } from '@longwire/client';
import { beforeAll, expect, it } from 'vitest';
import { displayWidth, loadWideText } from '../../src/display-width.ts';
import { Redactor } from '../../src/redact.ts';
import { Terminal } from '../../src/terminal.ts';
import { PrintedTrace } from '../../src/trace/printed-trace.ts';

beforeAll(loadWideText);

/** What is shown of events on a terminal of so many columns, without colours. */
function shown(
  columns: number,
  events: readonly WireEvent[],
  { secrets = [], names = ['one'] }: { secrets?: string[]; names?: string[] } = {},
): { lines: string[]; colored: string } {
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns });
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  const env = { CI: '1', FORCE_COLOR: '1' };
  const terminal = new Terminal({ stdout: new PassThrough(), stderr, redactor, env });
  const trace = new PrintedTrace({ terminal, redactor });
  const servers = names.map((name) => trace.server(name));
  for (const event of events) servers[0]?.observe(event);
  const colored = String(stderr.read() ?? '');
  return { lines: stripVTControlCharacters(colored).split('\n').slice(0, -1), colored };
}

const notified = (data: unknown): WireEvent => ({
  type: 'message',
  direction: 'received',
  bytes: 1234,
  message: { jsonrpc: '2.0', method: 'notifications/message', params: { data } },
});

it.each([40, 80, 132])('fits %i columns, and the lines of a body are its beginning', (columns) => {
  const text = 'ab '.repeat(200);
  const { lines } = shown(columns, [notified(text), notified('日本語'.repeat(100))]);
  expect(Math.max(...lines.map((line) => displayWidth(line)))).toBeLessThanOrEqual(columns);
  const first = lines.slice(1, 4).map((line) => line.slice(8));
  const begun = first.join('').replace(/…$/, '');
  expect(JSON.stringify({ data: text }).startsWith(begun.slice(0, -1))).toBe(true);
  expect(begun.length).toBeGreaterThan(2 * (columns - 8));
  expect(lines).toHaveLength(8);
});

it('a secret is hidden also where the end of a line cuts it in two, or the end of what is shown', () => {
  const secret = 'secret-0123456789-secret';
  for (let before = 0; before < 600; before += 7) {
    const { lines } = shown(80, [notified('x'.repeat(before) + secret)], { secrets: [secret] });
    const text = lines.map((line) => line.slice(8)).join('');
    expect(text).not.toContain('secret-0');
    expect(text).not.toContain('9-secret');
  }
});

it('a secret is hidden also at the end of a name that has none', () => {
  const secret = 'secret-0123456789-secret';
  for (let before = 4900; before < 5010; before++) {
    const method = `${'x'.repeat(before)}${secret}`;
    const event: WireEvent = {
      type: 'message',
      direction: 'received',
      bytes: 1,
      message: { jsonrpc: '2.0', method },
    };
    const { lines } = shown(80, [event], { secrets: [secret] });
    expect(lines.map((line) => line.slice(8)).join('')).not.toContain('secret');
  }
});

it('names servers where there are several, and has colours by direction', () => {
  const ping: WireEvent = {
    type: 'message',
    direction: 'sent',
    bytes: 40,
    message: { jsonrpc: '2.0', id: 3, method: 'ping' },
  };
  const error: WireEvent = {
    type: 'message',
    direction: 'received',
    bytes: 60,
    message: { jsonrpc: '2.0', id: 3, error: { code: -32601, message: 'no \u001b[2Jping' } },
  };
  const { lines, colored } = shown(80, [ping, error], { names: ['one', 'two'] });
  expect(lines).toEqual([
    expect.stringMatching(/^ {2}\d\.\d{3} one → ping #3, 40 B$/),
    expect.stringMatching(/^ {2}\d\.\d{3} one ← error -32601 of ping #3, 60 B, \d+ ms$/),
    '        {"code":-32601,"message":"no \\u001b[2Jping"}',
  ]);
  expect(colored).toContain('\u001b[36mone → ping');
  expect(colored).toContain('\u001b[31mone ← error');
  expect(colored).not.toContain('\u001b[2J');
});
