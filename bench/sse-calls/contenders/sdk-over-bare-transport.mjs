/**
 * The `Client` of the SDK 2.x over the bare loop's transport, with a schema that lets everything
 * pass: what the SDK's protocol layer costs by itself.
 */
import { Client } from '@modelcontextprotocol/client';
import { BareTransport } from './bare-transport.mjs';

/** @type {any} */
const passThrough = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: (/** @type {unknown} */ value) => ({ value }),
  },
};

/**
 * @param {string} url
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url) {
  const client = new Client({ name: 'sdk-over-bare-transport', version: '1.0.0' });
  await client.connect(new BareTransport(url));
  await client.listTools();
  return {
    callTool: (name, args) =>
      client.request({ method: 'tools/call', params: { name, arguments: args } }, passThrough),
  };
}
