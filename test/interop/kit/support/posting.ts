import { setTimeout as delay } from 'node:timers/promises';

/** How long a POST is tried again that the network has broken. */
const TRY_MS = 20_000;
const PAUSE_MS = 10;

/**
 * A `fetch` for clients that post once: it posts the same again where the network breaks a POST, which
 * a server that knows the ids of requests runs once. Everything else is fetched as it is.
 */
export const fetchAgain: typeof fetch = async (input, init) => {
  if (init?.method !== 'POST') return fetch(input, init);
  // Node keeps a listener for each fetch, and the official clients have one signal for all of them.
  const { signal, ...rest } = init;
  const endAt = Date.now() + TRY_MS;
  for (;;) {
    try {
      return await fetch(input, rest);
    } catch (error) {
      if (signal?.aborted === true || Date.now() > endAt) throw error;
      await delay(PAUSE_MS);
    }
  }
};
