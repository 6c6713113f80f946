/** The floor: the answers are made by hand. */
import { LISTED_TOOLS, resultOf, SERVER_INFO } from '../tools.mjs';
import { startBareHttp } from './bare-http.mjs';

const CAPABILITIES = { tools: { listChanged: true } };

/** @param {string} method @param {any} params */
function answer(method, params) {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params.protocolVersion,
        capabilities: CAPABILITIES,
        serverInfo: SERVER_INFO,
      };
    case 'server/discover':
      return {
        supportedVersions: ['2026-07-28'],
        capabilities: CAPABILITIES,
        serverInfo: SERVER_INFO,
      };
    case 'tools/list':
      return { tools: LISTED_TOOLS };
    case 'tools/call':
      return resultOf(params.arguments);
    default:
      return {};
  }
}

/** One for all sessions: none of them has a state. @type {import('./bare-http.mjs').Answerer} */
const ANSWERER = {
  receive({ id, method, params }, reply) {
    if (id !== undefined) reply({ jsonrpc: '2.0', id, result: answer(method, params) });
  },
};

/** @type {import('../server-process.mjs').Start} */
export async function start({ transport }) {
  const { origin, broadcast } = await startBareHttp(() => ANSWERER, answer);
  return { url: origin + (transport === 'sse' ? '/sse' : '/mcp'), broadcast };
}
