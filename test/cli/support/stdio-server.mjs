// A server over stdin and stdout for the tests of the command: its tools tell about the process, and
// end it; with `ends-when-asked` it does not begin. A file that is named may be written to, so that the next process knows of this one.
import { existsSync, writeFileSync, writeSync } from 'node:fs';
import { say, serve } from '../../support/stdio-servers/lines.mjs';

const [file] = process.argv.slice(2);
const inputSchema = { type: 'object' };
const harmless = { readOnlyHint: true };
const tools = [
  { name: 'process', inputSchema, annotations: harmless },
  { name: 'hang', inputSchema },
  { name: 'die', inputSchema },
  { name: 'die-once', inputSchema, annotations: harmless },
];

function text(value) {
  return { content: [{ type: 'text', text: value }] };
}

function die() {
  writeSync(2, '\u001b[31mthe disk\u001b]0;title\u0007 is full\u001b[0m\n');
  process.exit(3);
}

const calls = {
  process: () =>
    text(JSON.stringify({ pid: process.pid, cwd: process.cwd(), args: process.argv.slice(2) })),
  hang: () => say({ method: 'notifications/message', params: { level: 'info', data: 'it hangs' } }),
  die,
  'die-once': () => {
    if (existsSync(file)) return text('alive');
    writeFileSync(file, '');
    return die();
  },
};

serve({
  initialize: ({ protocolVersion }) =>
    process.argv.includes('ends-when-asked')
      ? die()
      : {
          protocolVersion,
          capabilities: { tools: {}, logging: {} },
          serverInfo: { name: 'of-the-tests', version: '1' },
        },
  ping: () => ({}),
  'logging/setLevel': () => {
    say({ method: 'notifications/message', params: { level: 'info', data: `pid ${process.pid}` } });
    return {};
  },
  'tools/list': () => ({ tools }),
  'tools/call': ({ name }) => calls[name]?.(),
});
