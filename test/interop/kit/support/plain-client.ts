import { fetchAgain } from './posting.ts';

/** What is used of a standard `EventSource`. */
export type EventSourceClass = new (url: string) => {
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
  close(): void;
};

/** A client that is a plain `EventSource` and `fetch`. */
export interface PlainClient {
  /** Fulfilled with the result of the request, or with its error. */
  request(method: string, params?: object): Promise<unknown>;
  close(): void;
}

/**
 * Opens the stream and initializes the session. The `EventSource` reconnects by itself, with
 * `Last-Event-ID`; all that is done here is to post again what the network has broken.
 */
export async function openPlain(url: string, Class: EventSourceClass): Promise<PlainClient> {
  const source = new Class(url);
  const waiting = new Map<number, (answer: unknown) => void>();
  let endpoint: URL | undefined;
  await new Promise<void>((resolve) => {
    source.addEventListener('endpoint', ({ data }) => {
      endpoint = new URL(String(data), url);
      resolve();
    });
  });
  source.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as Record<string, unknown>;
    waiting.get(Number(id))?.(result ?? error);
    waiting.delete(Number(id));
  });

  async function post(message: object): Promise<void> {
    const response = await fetchAgain(endpoint as URL, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    // It is accepted, also where the connection is cut before the body has ended.
    await response.text().catch(() => {});
  }

  let ids = 0;
  async function request(method: string, params: object = {}): Promise<unknown> {
    const id = ++ids;
    const answered = new Promise((resolve) => waiting.set(id, resolve));
    await post({ id, method, params });
    return answered;
  }

  await request('initialize', {
    protocolVersion: '2024-11-05',
    capabilities: {},
    clientInfo: { name: 'plain', version: '0' },
  });
  await post({ method: 'notifications/initialized' });
  return { request, close: () => source.close() };
}
