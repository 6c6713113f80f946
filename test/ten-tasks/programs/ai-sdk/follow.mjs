import { createMCPClient } from '@ai-sdk/mcp';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { setTimeout as sleep } from 'node:timers/promises';

const uri = 'market://news';
let last;

/** The client neither subscribes nor takes notifications: both are done below it. */
class Subscribing {
  protocolVersion;
  #inner;
  #answered;

  constructor(inner, onUpdated) {
    this.#inner = inner;
    inner.onclose = () => this.onclose?.();
    inner.onerror = (error) => this.onerror?.(error);
    inner.onmessage = (message) => {
      if (message.id === 'subscribe') this.#answered(message);
      else if (message.id !== undefined) this.onmessage?.(message);
      else if (message.method === 'notifications/resources/updated') onUpdated(message.params);
    };
  }

  start = () => this.#inner.start();
  close = () => this.#inner.close();
  send = (message) => this.#inner.send(message);
  setProtocolVersion = (version) => this.#inner.setProtocolVersion(version);

  subscribe() {
    const request = { jsonrpc: '2.0', id: 'subscribe', method: 'resources/subscribe' };
    return new Promise((resolve, reject) => {
      this.#answered = ({ error }) => (error ? reject(new Error(error.message)) : resolve());
      this.#inner.send({ ...request, params: { uri } }).catch(reject);
    });
  }
}

/** Follows it on one connection, until that is lost (false) or the end is told (true). */
async function follow() {
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  async function look() {
    const [{ text }] = (await client.readResource({ uri })).contents;
    if (text !== last) console.log((last = text));
    if (text === 'closing') end(true);
  }
  const inner = new StreamableHTTPClientTransport(new URL(process.env.MARKET_URL));
  const transport = new Subscribing(inner, (params) => {
    if (params.uri === uri) look().catch(() => end(false));
  });
  const client = await createMCPClient({ transport, onUncaughtError: () => end(false) });
  try {
    await transport.subscribe();
    await look();
    return await ended;
  } finally {
    await client.close().catch(() => {});
  }
}

for (let failures = 0; failures < 5;) {
  try {
    if (await follow()) break;
    failures = 0;
  } catch {
    failures += 1;
    await sleep(250 * 2 ** failures);
  }
}
