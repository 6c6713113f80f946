/**
 * Other ways to write the bare loop, to see that the one that is used is the floor. The variant is
 * named in the query of this module's own URL.
 */
import { Agent, Pool } from 'undici';
import { BareTransport } from './bare-transport.mjs';
import { open as openBareLoop } from './bare-loop.mjs';

const HEADERS = { 'content-type': 'application/json' };

class WithRequest extends BareTransport {
  /** @override @param {unknown} message */
  async send(message) {
    const { statusCode, body } = await this.dispatcher.request({
      origin: this.origin,
      path: this.path,
      method: 'POST',
      headers: HEADERS,
      body: JSON.stringify(message),
    });
    await body.dump();
    if (statusCode !== 202) throw new Error(`POST answered ${statusCode}`);
  }
}

class WithControllerHandlers extends BareTransport {
  /** @override @param {unknown} message @returns {Promise<void>} */
  send(message) {
    return new Promise((resolve, reject) => {
      let status = 0;
      this.dispatcher.dispatch(
        {
          origin: this.origin,
          path: this.path,
          method: 'POST',
          headers: HEADERS,
          body: JSON.stringify(message),
        },
        {
          onRequestStart() {},
          onResponseStart(_controller, statusCode) {
            status = statusCode;
          },
          onResponseData() {},
          onResponseEnd() {
            if (status === 202) resolve();
            else reject(new Error(`POST answered ${status}`));
          },
          onResponseError(_controller, error) {
            reject(error);
          },
        },
      );
    });
  }
}

class WithoutTimeouts extends BareTransport {
  /** @override */
  dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
}

class WithPool extends BareTransport {
  /** @param {string} url */
  constructor(url) {
    super(url);
    this.dispatcher = /** @type {any} */ (new Pool(this.origin));
  }
}

class WithEightConnections extends BareTransport {
  /** @override */
  dispatcher = new Agent({ connections: 8 });
}

class WithFetch extends BareTransport {
  /** @override @param {unknown} message */
  async send(message) {
    const response = await fetch(this.origin + this.path, {
      method: 'POST',
      headers: HEADERS,
      body: JSON.stringify(message),
    });
    await response.text();
    if (response.status !== 202) throw new Error(`POST answered ${response.status}`);
  }
}

const VARIANTS = {
  'controller-handlers': WithControllerHandlers,
  request: WithRequest,
  'no-timeouts': WithoutTimeouts,
  pool: WithPool,
  'eight-connections': WithEightConnections,
  fetch: WithFetch,
};

/** @param {string} url */
export function open(url) {
  const variant = new URL(import.meta.url).searchParams.get('variant') ?? '';
  const Transport = VARIANTS[/** @type {keyof typeof VARIANTS} */ (variant)];
  if (!Transport) throw new Error(`No such variant: ${variant}`);
  return openBareLoop(url, Transport);
}
