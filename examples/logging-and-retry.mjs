/**
 * A line for every request, and another try where that does no harm: the server asks for patience
 * twice, and the call succeeds nevertheless.
 */
import { connect, HttpStatusError } from '@longwire/client';
import { logging, retry } from '@longwire/client/middleware';
import { startMarket } from './market.mjs';

/** Any logger in the manner of pino. */
const logger = {
  debug: () => {},
  info: (/** @type {object} */ fields) => console.log('info', JSON.stringify(pick(fields))),
  warn: (/** @type {object} */ fields) => console.log('warn', JSON.stringify(pick(fields))),
  error: (/** @type {object} */ fields) => console.log('error', JSON.stringify(pick(fields))),
};

/** @param {Record<string, unknown>} fields */
function pick({ 'gen_ai.tool.name': tool, 'error.type': error, outcome }) {
  return { tool, outcome, error };
}

/** Stands in for a server that is busy. @type {import('@longwire/client').Middleware} */
const busyTwice = async (request, next) => {
  if (request.method === 'tools/call' && attempts++ < 2) {
    throw new HttpStatusError('POST /messages was answered 503', {
      status: 503,
      excerpt: '',
      certainty: 'refused',
    });
  }
  return next();
};
let attempts = 0;

const market = await startMarket();
const client = await connect(market.url, {
  middleware: [logging(logger), retry({ maxAttempts: 4, firstDelayMs: 10 }), busyTwice],
});
const { content } = await client.callTool('price', { symbol: 'NVDA' });
console.log(content, `after ${attempts} attempts`);
await client.close();
await market.close();
