import { connect, createServer } from 'node:net';

/**
 * A TCP proxy that at some time passes nothing more, and tells neither side when the other ends: a
 * cable that is pulled. The server is left with connections that are open, and take what it sends.
 *
 * @param {string} target a URL
 */
export async function startSwallowingProxy(target) {
  const { hostname, port, pathname } = new URL(target);
  let isSwallowing = false;
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    pass(client, upstream);
    pass(upstream, client);
  });

  /** @param {import('node:net').Socket} from @param {import('node:net').Socket} to */
  function pass(from, to) {
    sockets.add(from);
    from.on('data', (chunk) => {
      if (!isSwallowing) to.write(chunk);
    });
    from.on('end', () => {
      if (!isSwallowing) to.end();
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      if (!isSwallowing) to.destroy();
    });
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}${pathname}`,
    /** From now on nothing passes. */
    swallow() {
      isSwallowing = true;
    },
    /** @returns {Promise<void>} */
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
