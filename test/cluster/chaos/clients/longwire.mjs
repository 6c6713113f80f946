import { connect } from '@longwire/client';
import { outcomeOfError, outcomeOfResult } from '../calls.mjs';
import { CALL_MS } from './client.mjs';

/**
 * Longwire's own, which survives by itself.
 *
 * @param {string} path
 * @param {import('@longwire/client').ClientOptions} options
 * @param {{ isTask?: boolean }} [as]
 * @returns {import('./client.mjs').OpenClient}
 */
export function longwire(path, options, { isTask = false } = {}) {
  return async ({ origin, name, onBreach, signal }) => {
    const client = await connect(`${origin}${path}`, {
      ...options,
      name,
      retry: { maxAttempts: 20, firstDelayMs: 50, maxDelayMs: 1_000 },
    });
    client.on('error', () => {});
    // What the list says is safe is sent again.
    await client.listTools();
    return {
      call: ({ tool, args }) => {
        let last = 0;
        const wait = {
          timeoutMs: CALL_MS,
          deadlineMs: CALL_MS,
          signal,
          onProgress: (/** @type {{ progress: number }} */ { progress }) => {
            // A safe one that runs again begins anew.
            if (tool === 'pay' && progress <= last) {
              onBreach(`progress ${progress} of ${args.key} after ${last}`);
            }
            last = progress;
          },
          ...(isTask && { onTask: () => {} }),
        };
        return client.callTool(tool, args, wait).then(outcomeOfResult, outcomeOfError);
      },
      close: () => client.close(),
    };
  };
}
