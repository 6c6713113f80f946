import { BareTransport } from './bare-transport.mjs';

/**
 * The fewest steps that can do the job: a POST, an id, a map of who waits for which answer.
 *
 * @param {string} url
 * @param {new (url: string) => import('./bare-transport.mjs').BareTransport} [Transport]
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url, Transport = BareTransport) {
  const transport = new Transport(url);
  /** @type {Map<number, { resolve(result: any): void, reject(error: Error): void }>} */
  const waiting = new Map();
  let lastId = 0;

  transport.onmessage = (message) => {
    const call = waiting.get(message.id);
    if (call === undefined) return;
    waiting.delete(message.id);
    if (message.error === undefined) call.resolve(message.result);
    else call.reject(new Error(message.error.message));
  };
  transport.onerror = (error) => {
    for (const call of waiting.values()) call.reject(error);
    waiting.clear();
  };

  /** @param {string} method @param {object} params @returns {Promise<any>} */
  function request(method, params) {
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      transport.send({ jsonrpc: '2.0', id, method, params }).catch((error) => {
        waiting.delete(id);
        reject(error);
      });
    });
  }

  await transport.start();
  await request('initialize', {
    protocolVersion: '2024-11-05',
    capabilities: {},
    clientInfo: { name: 'bare-loop', version: '1.0.0' },
  });
  await transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  await request('tools/list', {});

  return {
    callTool: (name, args) => request('tools/call', { name, arguments: args }),
  };
}
