import { resultOf } from './http.mjs';
import {
  echoed,
  echoParams,
  initialize,
  INITIALIZED,
  JSON_HEADERS,
  LIST_CHANGED,
  request,
} from './session.mjs';

const VERSION = '2024-11-05';

/**
 * A session over HTTP+SSE: its stream, and a handshake.
 *
 * @type {import('./session.mjs').Connect}
 */
export async function connect(http) {
  /** @type {Map<number, { resolve(result: any): void, reject(error: unknown): void }>} */
  const waiting = new Map();
  let lastId = 0;
  let path = '';
  /** @type {(value?: undefined) => void} */
  let named = () => {};
  const endpoint = new Promise((resolve) => (named = resolve));

  /** @type {import('./session.mjs').Session} */
  const session = {
    echo: async (message) =>
      echoed(await ask((id) => request(id, 'tools/call', echoParams(message)))),
    listen: async () => {},
    onNotification: undefined,
    close: async () => close(),
  };

  const close = await http.open(['accept', 'text/event-stream'], (data) => {
    if (path === '') {
      path = data;
      named();
      return;
    }
    const message = JSON.parse(data);
    if (message.method === LIST_CHANGED) session.onNotification?.();
    const call = message.method === undefined ? waiting.get(message.id) : undefined;
    if (call === undefined) return;
    waiting.delete(message.id);
    try {
      call.resolve(resultOf(message));
    } catch (error) {
      call.reject(error);
    }
  });
  await endpoint;

  /** @param {string} body */
  const post = async (body) => {
    const { status, body: said } = await http.post(JSON_HEADERS, body, path);
    if (status !== 202) throw new Error(`a POST was answered ${status}: ${said.toString()}`);
  };

  /** @param {(id: number) => string} make the body @returns {Promise<any>} */
  function ask(make) {
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      post(make(id)).catch((error) => {
        waiting.delete(id);
        reject(error);
      });
    });
  }

  await ask((id) => initialize(id, VERSION));
  await post(INITIALIZED);
  return session;
}
