// A server that logs to its standard output and error, and by notifications, and dies when it is told to.
import { writeSync } from 'node:fs';
import { say, serve } from './lines.mjs';

console.log('chatty 1.0 is ready');
console.error('\u001b[31mreading\u001b[0m the configuration, token=hunter2-hunter2');
const tool = (name) => ({ name, inputSchema: { type: 'object' } });
serve({
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {}, logging: {} },
    serverInfo: { name: 'chatty', version: '1.0' },
  }),
  'logging/setLevel': ({ level }) => {
    console.error(`level ${level}`);
    return process.env.NO_LEVEL === undefined ? {} : undefined;
  },
  'tools/list': () => ({ tools: ['log', 'stray', 'die', 'flood'].map(tool) }),
  'tools/call': ({ name }) => {
    if (name === 'log') {
      for (const level of ['debug', 'info', 'warning', 'error']) {
        const params = { level, logger: 'chatty', data: `this is ${level}\u001b[2J` };
        say({ method: 'notifications/message', params });
      }
    }
    if (name === 'stray') console.log('one more stray line');
    if (name === 'flood') {
      process.stderr.write(
        Array.from({ length: 50_000 }, (_, index) => `line ${index}\n`).join(''),
      );
    }
    if (name === 'die') {
      writeSync(2, 'out of tea\n');
      process.exit(7);
    }
    return { content: [{ type: 'text', text: `did ${name}` }] };
  },
});
