import { createMCPClient } from '@ai-sdk/mcp';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const listeners = new WeakMap(); // of progress, by the arguments of their calls

/** The client takes no notifications: progress is taken out before it, and asked for behind it. */
class WithProgress {
  protocolVersion;
  #inner;
  #listeners = new Map();

  constructor(inner) {
    this.#inner = inner;
    inner.onclose = () => this.onclose?.();
    inner.onerror = (error) => this.onerror?.(error);
    inner.onmessage = (message) => {
      if (message.method !== 'notifications/progress') return this.onmessage?.(message);
      this.#listeners.get(message.params.progressToken)?.(message.params);
    };
  }

  start = () => this.#inner.start();
  close = () => this.#inner.close();
  setProtocolVersion = (version) => this.#inner.setProtocolVersion(version);

  async send(message, options) {
    const onProgress = listeners.get(message.params?.arguments);
    if (!onProgress) return this.#inner.send(message);
    const { id } = message;
    this.#listeners.set(id, onProgress);
    // The client only forgets a call that is cancelled: the server is told here.
    options?.signal?.addEventListener('abort', () => {
      this.#listeners.delete(id);
      const cancelled = { method: 'notifications/cancelled', params: { requestId: id } };
      this.#inner.send({ jsonrpc: '2.0', ...cancelled }).catch((error) => this.onerror?.(error));
    });
    const params = { ...message.params, _meta: { ...message.params._meta, progressToken: id } };
    return this.#inner.send({ ...message, params });
  }
}

const inner = new StreamableHTTPClientTransport(new URL(process.env.MARKET_URL));
const client = await createMCPClient({ transport: new WithProgress(inner) });
async function ticker(ticks, onProgress, options) {
  const args = { ticks };
  listeners.set(args, onProgress);
  return client.callTool({ name: 'ticker', arguments: args, options });
}
const show = ({ progress, total }) => console.log(`${progress} of ${total}`);
const { content } = await ticker(3, show);
console.log(content[0].text);
const cancel = new AbortController();
const options = { signal: cancel.signal };
await ticker(1000, () => cancel.abort(), options).catch(() => console.log('cancelled'));
const price = await client.callTool({ name: 'price', arguments: { symbol: 'AAPL' } });
console.log(price.content[0].text);
await client.close();
