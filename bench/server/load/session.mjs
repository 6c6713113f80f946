/**
 * @typedef {object} Session a client of the load that is connected
 * @property {(message: string) => Promise<string>} echo calls the tool `echo`
 * @property {() => Promise<void>} listen opens the stream for what the server says unasked, where
 *   there was none yet
 * @property {(() => void) | undefined} onNotification told of `notifications/tools/list_changed`
 * @property {() => Promise<void>} close
 *
 * @typedef {(http: import('./http.mjs').Http) => Promise<Session>} Connect
 */

export const CLIENT_INFO = { name: 'load', version: '1.0.0' };

export const LIST_CHANGED = 'notifications/tools/list_changed';

export const JSON_HEADERS = ['content-type', 'application/json'];

export const ACCEPT_BOTH = ['accept', 'application/json, text/event-stream'];

/** @param {number} id @param {string} method @param {object} params */
export const request = (id, method, params) =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });

export const INITIALIZED = JSON.stringify({
  jsonrpc: '2.0',
  method: 'notifications/initialized',
});

/** @param {number} id @param {string} protocolVersion */
export const initialize = (id, protocolVersion) =>
  request(id, 'initialize', { protocolVersion, capabilities: {}, clientInfo: CLIENT_INFO });

/** @param {string} message */
export const echoParams = (message) => ({ name: 'echo', arguments: { message } });

/** @param {any} result of the tool `echo` */
export const echoed = (result) => /** @type {string} */ (result.content[0].text);
