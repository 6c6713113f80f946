import type { EventSourceClass } from '../../kit/support/plain-client.ts';
import { fetchAgain } from '../../kit/support/posting.ts';
import { textOf } from '../../kit/support/callers.ts';
import { ELICITED, IDENTITY, SAMPLED, type OpenLooking } from './looking-client.ts';

interface Message {
  id?: number | string;
  method?: string;
  params?: { uri?: string; progress?: number; total?: number; progressToken?: number };
  result?: unknown;
  error?: { message: string };
}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  onProgress?: ((step: string) => void) | undefined;
}

/** What it answers to the requests of a server. */
const ANSWERS: Readonly<Record<string, object>> = {
  'elicitation/create': ELICITED,
  'sampling/createMessage': SAMPLED,
};

/**
 * A standard `EventSource`, and `fetch` for what it sends. It knows nothing of MCP but its messages, posts as
 * soon as it has read where to, and connects again by itself, with `Last-Event-ID`.
 */
export const plain =
  (Class: EventSourceClass): OpenLooking =>
  async (origin) => {
    const source = new Class(`${origin}/sse`);
    const waiting = new Map<number | string, Waiting>();
    const updates: string[] = [];
    let ids = 0;
    const { promise: endpoint, resolve: found } = deferred<URL>();
    source.addEventListener('endpoint', ({ data }) => found(new URL(String(data), origin)));
    source.addEventListener('message', ({ data }) => take(JSON.parse(String(data)) as Message));

    function take({ id, method, params, result, error }: Message): void {
      if (method === 'notifications/progress') {
        const token = params?.progressToken ?? 0;
        waiting.get(token)?.onProgress?.(`${params?.progress}/${params?.total}`);
      } else if (method === 'notifications/resources/updated') updates.push(params?.uri ?? '');
      else if (method !== undefined && id !== undefined) {
        void post({ id, result: ANSWERS[method] ?? {} });
      } else if (id !== undefined) {
        const { resolve, reject } = waiting.get(id) ?? {};
        waiting.delete(id);
        if (error === undefined) resolve?.(result);
        else reject?.(new Error(error.message));
      }
    }

    async function post(message: object): Promise<void> {
      const response = await fetchAgain(await endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      });
      const body = await response.text().catch(() => '');
      if (!response.ok) throw new Error(`${response.status} ${body}`);
    }

    async function request(
      method: string,
      params: object = {},
      { signal, onProgress }: { signal?: AbortSignal; onProgress?: (step: string) => void } = {},
    ): Promise<unknown> {
      const id = ++ids;
      const answered = new Promise((resolve, reject) =>
        waiting.set(id, { resolve, reject, onProgress }),
      );
      // It may fail before anybody waits for it.
      answered.catch(() => {});
      signal?.addEventListener('abort', () => {
        waiting.get(id)?.reject(new Error('cancelled'));
        waiting.delete(id);
        void post({ method: 'notifications/cancelled', params: { requestId: id } });
      });
      await post({ id, method, params: { ...params, _meta: { progressToken: id } } });
      return answered;
    }

    await request('initialize', {
      protocolVersion: '2024-11-05',
      capabilities: { elicitation: {}, sampling: {} },
      clientInfo: IDENTITY,
    });
    await post({ method: 'notifications/initialized' });
    return {
      updates,
      tools: async () => {
        const { tools } = (await request('tools/list')) as { tools: { name: string }[] };
        return tools.map(({ name }) => name);
      },
      call: async (name, args = {}, options = {}) =>
        textOf(await request('tools/call', { name, arguments: args }, options)),
      subscribe: async (uri) => void (await request('resources/subscribe', { uri })),
      [Symbol.asyncDispose]: async () => source.close(),
    };
  };

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}
