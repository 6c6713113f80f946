/**
 * A session that outlives its connection: a client that knows nothing but its own URL opens a stream
 * with a resume key, loses it in the middle of a call, opens it again and gets the answer.
 */
import { randomBytes } from 'node:crypto';
import { once, EventEmitter } from 'node:events';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';

const events = new EventEmitter();
let runs = 0;

function create() {
  const server = new McpServer({ name: 'mine', version: '1.0.0' });
  server.registerTool('pay', {}, async () => {
    runs += 1;
    events.emit('paying');
    await once(events, 'paid');
    return { content: [{ type: 'text', text: 'paid' }] };
  });
  return server;
}

const serving = await serve({
  create,
  port: Number(process.env.PORT ?? 3001),
  // How long a session waits for its client to come back. Its calls go on meanwhile.
  resumeMs: 60_000,
  // How long a session may be silent before it ends, and how long it may exist at all.
  sessionIdleMs: 30 * 60_000,
  sessionLifetimeMs: 24 * 60 * 60_000,
  // An idle session drops its server, and makes another one on the next message.
  hibernate: true,
});

// 128 bits, chosen by the client, and a secret.
const url = `${serving.sseUrl}?resume=${randomBytes(16).toString('base64url')}`;

const first = await openStream();
const endpoint = new URL(await first.next('endpoint'), url);
await post({
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2024-11-05',
    capabilities: {},
    clientInfo: { name: 'me', version: '1' },
  },
});
await first.next('message');
await post({ method: 'notifications/initialized' });
const call = { id: 1, method: 'tools/call', params: { name: 'pay', arguments: {} } };
const paying = once(events, 'paying');
await post(call);
await paying;
console.log('the connection breaks');
first.cut();
events.emit('paid');

const second = await openStream();
console.log(`the answer: ${await second.answerTo(call)}`);
// A client that is not sure repeats its request: the same id and body get the first answer.
await post(call);
console.log(`again: ${await second.answerTo(call)}`);
console.log(`it ran ${runs} time`);
second.cut();
await serving.close();

async function openStream() {
  const abort = new AbortController();
  const { body } = await fetch(url, { signal: abort.signal });
  const chunks = body.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let text = '';
  return {
    /** The data of the next event of this name. */
    async next(name) {
      for (;;) {
        const found = new RegExp(`event: ${name}\ndata: (.*)\n\n`).exec(text);
        if (found) {
          text = text.slice(found.index + found[0].length);
          return found[1];
        }
        text += (await chunks.next()).value;
      }
    },
    /** The text that answers a call. Answers that came before may come again: the client names no place. */
    async answerTo({ id }) {
      for (;;) {
        const answer = JSON.parse(await this.next('message'));
        if (answer.id === id) return answer.result.content[0].text;
      }
    },
    cut: () => abort.abort(),
  };
}

async function post(message) {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  const { status } = await fetch(endpoint, { method: 'POST', headers, body });
  if (status !== 202) throw new Error(`answered with ${status}`);
}
