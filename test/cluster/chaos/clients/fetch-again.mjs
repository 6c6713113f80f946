import { setTimeout as delay } from 'node:timers/promises';
import { CALL_MS } from './client.mjs';

const PAUSE_MS = 50;
/** What says that a node takes nothing now, or that the proxy reached none. */
const NOT_TAKEN = new Set([429, 503]);
/** What says that a connection of the proxy broke: the request may have been taken. */
const BROKEN = new Set([502, 504]);

/**
 * A `fetch` for clients that post once: it posts the same again where the network or a node fails, which
 * a kit that knows the ids of requests runs once. A body that is JSON is read whole.
 *
 * @param {{ onRetry: (init: RequestInit) => void }} context
 * @param {(init: RequestInit) => boolean} mayRepeat whether a POST may be sent again that was sent
 * @returns {(input: string | URL, init?: RequestInit) => Promise<Response>}
 */
export function fetchAgain({ onRetry }, mayRepeat = () => true) {
  return async (input, init) => {
    if (init?.method !== 'POST') return fetch(input, init);
    // Node keeps a listener for each fetch, and the official clients have one signal for all of them.
    const { signal, ...rest } = init;
    const endAt = Date.now() + CALL_MS;
    for (;;) {
      const answered = await fetchOnce(input, rest);
      const status = answered instanceof Response ? answered.status : undefined;
      const isBroken = status === undefined || BROKEN.has(status);
      const isAgain = isBroken ? mayRepeat(init) : NOT_TAKEN.has(status);
      if (!isAgain || signal?.aborted === true || Date.now() > endAt) {
        if (answered instanceof Response) return answered;
        throw answered;
      }
      onRetry(init);
      await delay(pauseMs(answered));
    }
  };
}

/** @param {string | URL} input @param {RequestInit} init @returns {Promise<Response | Error>} */
async function fetchOnce(input, init) {
  try {
    const response = await fetch(input, init);
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
    const { status, headers } = response;
    const body = await response.arrayBuffer();
    return new Response(body.byteLength === 0 ? null : body, { status, headers });
  } catch (error) {
    return /** @type {Error} */ (error);
  }
}

/** @param {Response | Error} answered */
function pauseMs(answered) {
  const asked = answered instanceof Response ? answered.headers.get('retry-after') : null;
  return asked === null ? PAUSE_MS : Math.min(Number(asked) * 1_000, 1_000);
}

/** The id of the message that was posted. @param {RequestInit['body']} body @returns {unknown} */
export function idIn(body) {
  return typeof body === 'string' ? JSON.parse(body).id : undefined;
}
