import { EventSource } from 'eventsource';
import { outcomeOfAnswer } from '../calls.mjs';
import { CALL_MS, IDENTITY } from './client.mjs';
import { fetchAgain, idIn } from './fetch-again.mjs';

/**
 * A standard `EventSource` and `fetch`: the stream is resumed by `Last-Event-ID`, and every event comes
 * once, in order.
 *
 * @type {import('./client.mjs').OpenClient}
 */
export const eventSource = async (context) => {
  const { origin, onBreach, signal } = context;
  /** What was posted again: its answer may come again, too, and its progress from then on. */
  const reposted = new Set();
  const posting = fetchAgain({
    onRetry: ({ body }) => {
      context.onRetry();
      reposted.add(idIn(body));
    },
  });
  const source = new EventSource(`${origin}/sse`);
  /** @type {Map<string, (message: any) => void>} */
  const waiting = new Map();
  /** The last progress of each call. @type {Map<string, number>} */
  const progressed = new Map();
  let endpoint = '';
  let seq = 0;
  /** @type {(value?: unknown) => void} */
  let isNamed = () => {};
  /** @type {(reason: Error) => void} */
  let isRefused = () => {};
  const named = new Promise((resolve, reject) => {
    isNamed = resolve;
    isRefused = reject;
  });
  source.addEventListener('endpoint', ({ data }) => {
    if (endpoint !== '' && endpoint !== data) onBreach('the session of a stream was lost');
    endpoint = data;
    isNamed();
  });
  /** @param {{ id: string }} message */
  const settle = (message) => {
    const waits = waiting.get(message.id);
    waiting.delete(message.id);
    waits?.(message);
    return waits !== undefined;
  };
  source.addEventListener('message', ({ data, lastEventId }) => {
    const message = JSON.parse(data);
    const at = Number(lastEventId.split('.')[1]);
    if (at <= seq && reposted.has(message.id)) return void settle(message);
    if (at <= seq) onBreach(`event ${at} after event ${seq}`);
    seq = at;
    if (message.method === 'notifications/progress') {
      const { progressToken: token, progress } = message.params;
      if (progress !== (progressed.get(token) ?? 0) + 1 && progress !== 1) {
        onBreach(`progress ${progress} of ${token} after ${progressed.get(token)}`);
      }
      progressed.set(token, progress);
      return;
    }
    if (!settle(message)) onBreach(`an answer to ${message.id} that nobody waits for`);
  });
  source.addEventListener('error', () => {
    if (source.readyState !== source.CLOSED) return;
    // A session may be refused; one that is there is resumed, or becomes a new one.
    if (endpoint === '') isRefused(new Error('the session was refused'));
    else onBreach('the EventSource was told to stop');
  });

  /** @param {object} message */
  async function post(message) {
    const response = await posting(new URL(endpoint, origin), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
    if (!response.ok) throw new Error(`POST: ${response.status} ${await response.text()}`);
  }

  /**
   * @param {{ id: string, method: string, params: object }} request
   * @returns {Promise<any>}
   */
  async function ask(request) {
    /** @type {Promise<any>} */
    const answered = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no answer in time')), CALL_MS);
      const aborted = () => reject(new Error('aborted'));
      signal.addEventListener('abort', aborted, { once: true });
      waiting.set(request.id, (message) => {
        clearTimeout(late);
        signal.removeEventListener('abort', aborted);
        resolve(message);
      });
    });
    await Promise.all([post(request), answered]);
    return answered;
  }

  await named;
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: IDENTITY };
  try {
    await ask({ id: 'initialize', method: 'initialize', params });
    await post({ method: 'notifications/initialized' });
  } catch (error) {
    source.close();
    throw error;
  }
  return {
    call: ({ key, tool, args }) => {
      const called = { name: tool, arguments: args, _meta: { progressToken: key } };
      return ask({ id: key, method: 'tools/call', params: called }).then(
        outcomeOfAnswer,
        (error) => ({
          is: /** @type {const} */ ('failed'),
          text: String(error),
        }),
      );
    },
    close: async () => source.close(),
  };
};
