import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * @param {import('node:http').Server} server
 * @returns {Promise<string>} its origin, on a free port of 127.0.0.1
 */
export async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `http://127.0.0.1:${address.port}`;
}

/** A port that is free now, for contenders that do not say which one they got. */
export async function freePort() {
  const server = createServer();
  const { port } = new URL(await listen(server));
  server.close();
  await once(server, 'close');
  return Number(port);
}
