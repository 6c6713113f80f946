/**
 * A strict MCP server over stdio that goes wrong as it is told to: a process of its own, started by
 * the client. What it does is written down in a file, so that it is known whatever becomes of it.
 *
 * Arguments: the file, and how it goes wrong.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseJson } from './hostile.mjs';
import { Session } from './session.mjs';
import { readRecord } from './stdio.mjs';
import { CONTROL, TOOLS, Workshop } from './workshop.mjs';

const [file = '', wrong = ''] = process.argv.slice(2);
const STDERR_BYTES = 8 * 2 ** 20;
const NOISE = [
  '',
  'Listening…',
  '{"level":"info","msg":"started"}',
  '{ not json',
  '\u001B[32mok\u001B[0m',
];
const FOREVER = ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);'];

/** @param {import('./stdio.mjs').Entry} entry */
const record = (entry) => appendFileSync(file, `${JSON.stringify(entry)}\n`);

record({ event: 'start', pid: process.pid });
const isFirst = readRecord(file).filter(({ event }) => event === 'start').length === 1;

class RecordedWorkshop extends Workshop {
  /** @override @type {Workshop['run']} */
  async run(tool, args, options) {
    record({ event: 'run', key: args.key });
    // It crashes with calls in flight; the one that is started next works.
    this.holding = wrong === 'crash' && isFirst && args.key !== CONTROL;
    if (wrong === 'stderr') flood();
    if (wrong === 'noise') makeNoise();
    return super.run(tool, args, options);
  }
}

const session = new Session({
  workshop: new RecordedWorkshop(),
  tools: TOOLS,
  protocolVersion: '2025-11-25',
  readySessions: 0,
});

if (wrong === 'grandchild') {
  // It has the pipes of this process, and keeps them open.
  const { pid = 0 } = spawn(process.execPath, FOREVER, { stdio: 'inherit' });
  record({ event: 'grandchild', pid });
}
if (wrong === 'stubborn') {
  process.on('SIGTERM', () => record({ event: 'sigterm' }));
  setInterval(() => {}, 1000);
}
if (wrong === 'noise') makeNoise();

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const message = parseJson(line);
  if (message?.jsonrpc !== '2.0') return;
  record({ event: 'message', method: message.method });
  if (wrong === 'deaf') return;
  if (wrong === 'deaf to calls' && message.params?.arguments?.key === 'p-unanswered') return;
  void session.receive(message, say);
});
if (wrong !== 'stubborn') lines.once('close', () => process.exit());

/** @param {any} message */
function say(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

/** More than a pipe holds: it stands still unless somebody reads. */
function flood() {
  const line = `${'e'.repeat(1023)}\n`;
  for (let written = 0; written < STDERR_BYTES;) {
    try {
      written += writeSync(2, line);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EAGAIN') throw error;
    }
  }
}

function makeNoise() {
  for (const line of NOISE) process.stdout.write(`${line}\n`);
}
