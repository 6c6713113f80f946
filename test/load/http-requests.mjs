import { Agent, request } from 'node:http';

/** Connections for what is posted; streams have one of their own each. */
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/**
 * Posts a message. Resolves with the response, whose body is to be read.
 *
 * @param {string} url
 * @param {unknown} message
 * @param {Record<string, string>} headers
 * @returns {Promise<import('node:http').IncomingMessage>}
 */
export function post(url, message, headers = {}) {
  const body = JSON.stringify(message);
  return new Promise((resolve, reject) => {
    const posted = request(url, {
      method: 'POST',
      agent,
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...headers,
      },
    });
    posted.on('response', resolve).on('error', reject).end(body);
  });
}

/**
 * Opens a stream on a connection of its own.
 *
 * @param {string} url
 * @param {{ localAddress: string, headers?: Record<string, string> }} options
 * @returns {Promise<import('node:http').IncomingMessage>}
 */
export function openStream(url, { localAddress, headers = {} }) {
  return new Promise((resolve, reject) => {
    const opened = request(url, {
      agent: false,
      localAddress,
      headers: { accept: 'text/event-stream', ...headers },
    });
    opened.on('response', resolve).on('error', reject).end();
  });
}

/**
 * Reads a body, and throws it away.
 *
 * @param {import('node:http').IncomingMessage} response
 * @returns {Promise<void>}
 */
export function drain(response) {
  return new Promise((resolve, reject) => {
    response.resume().on('end', resolve).on('error', reject);
  });
}

/** Closes idle connections. */
export function closeConnections() {
  agent.destroy();
}
