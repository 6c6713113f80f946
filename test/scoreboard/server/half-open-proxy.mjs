import net from 'node:net';

/**
 * A TCP proxy that can let its connections go half-open: they stay open and pass nothing any more,
 * in either direction, while new ones work.
 */
export class HalfOpenProxy {
  /** @type {Set<{ client: net.Socket, upstream: net.Socket }>} */
  #pairs = new Set();
  #server;
  #port = 0;
  #path;

  /** @param {number} upstreamPort @param {string} path of its URL */
  constructor(upstreamPort, path) {
    this.#path = path;
    this.#server = net.createServer((client) => {
      const upstream = net.connect(upstreamPort, '127.0.0.1');
      const pair = { client, upstream };
      this.#pairs.add(pair);
      client.on('data', (chunk) => upstream.write(chunk));
      upstream.on('data', (chunk) => client.write(chunk));
      for (const socket of [client, upstream]) {
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.once('close', () => {
          client.destroy();
          upstream.destroy();
          this.#pairs.delete(pair);
        });
      }
    });
  }

  async start() {
    await new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve(undefined));
    });
    this.#port = /** @type {net.AddressInfo} */ (this.#server.address()).port;
    return this;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}${this.#path}`;
  }

  /** Lets every connection of now go half-open. */
  freeze() {
    for (const { client, upstream } of this.#pairs) {
      for (const socket of [client, upstream]) {
        socket.removeAllListeners('data');
        // Read on, so that its end is noticed; what comes is lost.
        socket.resume();
      }
    }
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    await closed;
  }
}
