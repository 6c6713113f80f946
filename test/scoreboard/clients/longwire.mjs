/** Longwire, with everything that is on by default but for what a scenario asks for. */
import { createClient } from '@longwire/client';

/**
 * @param {import('./adapter.mjs').AdapterOptions} options
 * @returns {import('./adapter.mjs').Adapter}
 */
export function open({ onNotification, onToolsChanged, onState, elicit }) {
  /** @type {import('@longwire/client').LongwireClient} */
  let client;
  return {
    create(target, { connectMs, retry, heartbeat, maxEventBytes }) {
      client = createClient(target, {
        ...(connectMs !== undefined && { timeouts: { connectMs } }),
        ...(retry !== undefined && { retry }),
        ...(heartbeat !== undefined && { heartbeat }),
        ...(maxEventBytes !== undefined && { limits: { maxEventBytes } }),
        handlers: { elicitation: (params) => elicit(params.message) },
      });
      client.on('notification', onNotification);
      client.on('toolsChanged', onToolsChanged);
      client.on('state', (state) => onState(state.name));
    },
    connect: (signal) => client.connect({ signal }),
    listTools: async () => (await client.listTools()).length,
    call: (tool, args, { timeoutMs, deadlineMs, idempotent, signal, onProgress }) =>
      client.callTool(tool, args, {
        signal,
        onProgress,
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(deadlineMs !== undefined && { deadlineMs }),
        ...(idempotent !== undefined && { idempotent }),
      }),
    close: async () => client?.close(),
    droppedAnswers: () => client.stats().droppedAnswers,
  };
}
