// A server with the tool `echo`, which ends when it is asked to, and says what it does not know.
import { createInterface } from 'node:readline';
import { say } from './lines.mjs';

const echo = {
  name: 'echo',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
};

const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'tools', version: '1' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [echo] }),
  'tools/call': ({ arguments: { message } }) => ({ content: [{ type: 'text', text: message }] }),
  exit: () => process.exit(3),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answer = methods[method];
  if (answer !== undefined) say({ id, result: answer(params) });
  else say({ id, error: { code: -32601, message: 'Method not found' } });
});
