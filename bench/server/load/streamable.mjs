import { headerOf, resultIn } from './http.mjs';
import {
  ACCEPT_BOTH,
  echoed,
  echoParams,
  initialize,
  INITIALIZED,
  JSON_HEADERS,
  LIST_CHANGED,
  request,
} from './session.mjs';

const VERSION = '2025-11-25';

/**
 * A session over Streamable HTTP: a handshake, and the stream that a GET opens.
 *
 * @type {import('./session.mjs').Connect}
 */
export async function connect(http) {
  const { headers, echo } = await handshake(http);
  const session = headers.includes('mcp-session-id');
  if (!session) throw new Error('the server opened no session');
  /** @type {import('./session.mjs').Session} */
  const opened = {
    echo,
    listen: async () => {},
    onNotification: undefined,
    close: async () => {
      close();
      await http.delete(headers.slice(JSON_HEADERS.length));
    },
  };
  const close = await http.open(
    ['accept', 'text/event-stream', ...headers.slice(JSON_HEADERS.length + ACCEPT_BOTH.length)],
    (data) => {
      if (JSON.parse(data).method === LIST_CHANGED) opened.onNotification?.();
    },
  );
  return opened;
}

/**
 * The same for a server without sessions, as the versions before 2026-07-28 allow: there is no
 * stream on which it could say anything unasked.
 *
 * @type {import('./session.mjs').Connect}
 */
export async function connectWithoutSession(http) {
  const { echo } = await handshake(http);
  return {
    echo,
    listen: async () => {
      throw new Error('no stream without sessions');
    },
    onNotification: undefined,
    close: async () => {},
  };
}

/** @param {import('./http.mjs').Http} http */
async function handshake(http) {
  let lastId = 1;
  const common = [...JSON_HEADERS, ...ACCEPT_BOTH];
  const answer = await http.post(common, initialize(lastId, VERSION));
  resultIn(answer, lastId);
  const id = headerOf(answer, 'mcp-session-id');
  const headers = [
    ...common,
    'mcp-protocol-version',
    VERSION,
    ...(id === undefined ? [] : ['mcp-session-id', id]),
  ];
  const { status, body } = await http.post(headers, INITIALIZED);
  if (status !== 202) throw new Error(`a notification was answered ${status}: ${body.toString()}`);
  return {
    headers,
    /** @param {string} message */
    echo: async (message) => {
      const callId = ++lastId;
      const called = await http.post(headers, request(callId, 'tools/call', echoParams(message)));
      return echoed(resultIn(called, callId));
    },
  };
}
