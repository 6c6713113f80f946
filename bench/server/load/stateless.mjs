import { resultIn } from './http.mjs';
import {
  ACCEPT_BOTH,
  CLIENT_INFO,
  echoed,
  echoParams,
  JSON_HEADERS,
  LIST_CHANGED,
  request,
} from './session.mjs';

const VERSION = '2026-07-28';
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** @param {string} method @param {readonly string[]} more */
const headersFor = (method, ...more) => [
  ...JSON_HEADERS,
  ...ACCEPT_BOTH,
  'mcp-protocol-version',
  VERSION,
  'mcp-method',
  method,
  ...more,
];
const CALL_HEADERS = headersFor('tools/call', 'mcp-name', 'echo');

/**
 * A client of the stateless protocol: it discovers the server, and may listen to its changes.
 *
 * @type {import('./session.mjs').Connect}
 */
export async function connect(http) {
  let lastId = 0;
  /** @type {(() => void) | undefined} */
  let closeStream;

  /** @param {readonly string[]} headers @param {string} method @param {object} params */
  const ask = async (headers, method, params) => {
    const id = ++lastId;
    const answer = await http.post(headers, request(id, method, { ...params, _meta: META }));
    return resultIn(answer, id);
  };

  await ask(headersFor('server/discover'), 'server/discover', {});

  /** @type {import('./session.mjs').Session} */
  const session = {
    echo: async (message) => echoed(await ask(CALL_HEADERS, 'tools/call', echoParams(message))),
    onNotification: undefined,
    listen: async () => {
      const method = 'subscriptions/listen';
      const params = { notifications: { toolsListChanged: true }, _meta: META };
      /** @type {(value?: undefined) => void} */
      let acknowledge = () => {};
      const acknowledged = new Promise((resolve) => (acknowledge = resolve));
      closeStream = await http.open(
        headersFor(method),
        (data) => {
          const message = JSON.parse(data);
          if (message.method === ACKNOWLEDGED) acknowledge();
          else if (message.method === LIST_CHANGED) session.onNotification?.();
        },
        request(++lastId, method, params),
      );
      await acknowledged;
    },
    close: async () => closeStream?.(),
  };
  return session;
}
