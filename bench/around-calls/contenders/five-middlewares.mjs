/** Longwire with five middlewares that do as little as a middleware can be of use with. */
import { connect } from '@longwire/client';

/** @typedef {import('@longwire/client').Middleware} Middleware */

const seen = { calls: 0, ms: 0 };

/** @type {Middleware} */
const setsHeader = (request, next) => {
  request.headers['x-bench'] = 'around-calls';
  return next();
};

/** @type {Middleware} */
const times = async (_request, next) => {
  const startedAt = performance.now();
  try {
    return await next();
  } finally {
    seen.ms += performance.now() - startedAt;
  }
};

/** @type {Middleware} */
const counts = (_request, next) => {
  seen.calls++;
  return next();
};

/** @type {Middleware} */
const labels = async (request, next) => {
  request.metadata['bench'] = true;
  const response = await next();
  response.metadata['bench'] = true;
  return response;
};

/** @type {Middleware} */
const passes = (_request, next) => next();

/**
 * @param {string} url
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url) {
  const client = await connect(url, { middleware: [setsHeader, times, counts, labels, passes] });
  await client.listTools();
  const { calls } = seen;
  await client.callTool('echo', { message: 'it goes through the middlewares' });
  if (seen.calls !== calls + 1) throw new Error('The call did not go through the middlewares');
  return {
    callTool: (name, args) => client.callTool(name, args),
  };
}
