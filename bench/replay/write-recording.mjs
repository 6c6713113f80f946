import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

const SERVERS = ['metrics', 'logs', 'alerts'];
const BEGIN = 1_790_000_000_000;

/**
 * Writes a recording with this many lines: calls with an argument and a result each, and four
 * notifications between them.
 *
 * @param {string} path
 * @param {number} lines
 * @returns {Promise<{ from: number, to: number }>} its first and its last time
 */
export async function writeRecording(path, lines) {
  const out = createWriteStream(path);
  out.write(`${JSON.stringify({ type: 'recording', version: 1, at: BEGIN, by: 'bench' })}\n`);
  let [written, at] = [0, BEGIN];
  for (let call = 1; written < lines; call++) {
    for (const line of aboutCall(call, at)) {
      if (written++ >= lines) break;
      at = line.at;
      if (!out.write(`${JSON.stringify(line)}\n`)) await once(out, 'drain');
    }
  }
  out.end();
  await once(out, 'close');
  return { from: BEGIN, to: at };
}

/** @param {number} call @param {number} at */
function aboutCall(call, at) {
  const server = SERVERS[call % SERVERS.length];
  const name = `tool_${call % 20}`;
  const text = `found ${call} ${'x'.repeat(80)}`;
  const said = [1, 2, 3, 4].map((step) => ({
    type: 'notification',
    at: at + step,
    server,
    method: 'notifications/message',
    params: { level: 'info', logger: 'web', data: { cpu: (call % 97) / 97, text, step } },
  }));
  return [
    { type: 'call', at, server, call, method: 'tools/call', name, arguments: { text, limit: 10 } },
    { type: 'attempt', at, server, call, attempt: 1, id: call },
    ...said,
    {
      type: 'end',
      at: at + 5,
      server,
      call,
      outcome: call % 50 === 0 ? 'tool-error' : 'result',
      durationMs: 5,
      result: { content: [{ type: 'text', text }] },
    },
  ];
}
