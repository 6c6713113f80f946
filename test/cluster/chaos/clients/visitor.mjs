import { setTimeout as delay } from 'node:timers/promises';
import { CALL_MS } from './client.mjs';
import { eventSource } from './event-source.mjs';
import { plainHttp } from './plain-http.mjs';

const PAUSE_MS = 100;

/**
 * Somebody who opens a session for each call, over either transport in turn, and leaves again. What opening
 * meets, it tries again.
 *
 * @type {import('./client.mjs').OpenClient}
 */
export const visitor = async (context) => {
  let turn = 0;

  async function open() {
    const opening = turn++ % 2 === 0 ? plainHttp : eventSource;
    const endAt = Date.now() + CALL_MS;
    for (;;) {
      try {
        return await opening(context);
      } catch (error) {
        if (Date.now() > endAt) throw error;
        context.onRetry();
        await delay(PAUSE_MS);
      }
    }
  }

  return {
    call: async (call) => {
      try {
        const client = await open();
        const outcome = await client.call(call);
        await client.close();
        return outcome;
      } catch (error) {
        return { is: 'failed', text: String(error) };
      }
    },
    close: async () => {},
  };
};
