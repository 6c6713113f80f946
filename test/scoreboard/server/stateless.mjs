import { eventText, HostileServer, parseJson } from './hostile.mjs';
import { cutAnswer, wrongWith } from './streamable.mjs';
import { carryOut } from './workshop.mjs';

/**
 * @typedef {import('./hostile.mjs').Request} Request
 * @typedef {import('./hostile.mjs').Response} Response
 * @typedef {import('./hostile.mjs').Post} Post
 * @typedef {import('./hostile.mjs').HttpAnswer} HttpAnswer
 * @typedef {import('./workshop.mjs').Say} Say
 *
 * @typedef {object} Subscription one `subscriptions/listen` that is open
 * @property {string | number} id
 * @property {Say} say
 * @property {Response} response
 */

const VERSION = '2026-07-28';
const META = 'io.modelcontextprotocol/';
const SERVER_INFO = { name: 'hostile', version: '1.0.0' };
const HEADER_MISMATCH = -32020;
const UNSUPPORTED_VERSION = -32022;
/** Results that say how long they may be kept: not at all. */
const CACHEABLE = { ttlMs: 0, cacheScope: 'private' };

/**
 * A strict MCP server of the stateless protocol 2026-07-28 that goes wrong as it is told to. Every
 * request says who asks, and its headers have to repeat what its body says.
 */
export class StatelessServer extends HostileServer {
  transport = /** @type {const} */ ('stateless');
  path = '/mcp';
  /** @type {Set<Subscription>} */
  subscriptions = new Set();
  /** Requests whose answer the other side closed, by which it cancels. @type {Post[]} */
  abandoned = [];
  /**
   * Whether the answer to a POST ends early without having said anything, and how.
   *
   * @type {((post: Post) => 'end' | 'cut' | undefined) | undefined}
   */
  breaksOff;

  /** @override */
  get counts() {
    return `${this.streams.length} streams, ${this.http.acceptedConnections} TCP connections`;
  }

  /** How often this was asked for. @param {string} method */
  asked(method) {
    return this.posts.filter(({ message }) => message?.method === method).length;
  }

  /** Has other tools from now on, and tells whoever listens. @param {readonly object[]} tools */
  change(tools) {
    this.tools = /** @type {typeof this.tools} */ (tools);
    for (const { id, say } of this.subscriptions) {
      say({
        method: 'notifications/tools/list_changed',
        params: { _meta: { [`${META}subscriptionId`]: id } },
      });
    }
  }

  /** Ends all subscriptions, with a result or without. @param {'result' | 'cut'} how */
  endSubscriptions(how) {
    for (const { id, say, response } of this.subscriptions) {
      if (how === 'result') {
        say({ id, result: dressed({}, { [`${META}subscriptionId`]: id }) });
        response.end();
      } else {
        response.destroy();
      }
    }
    this.subscriptions.clear();
  }

  /** @override @param {Request} request @param {Response} response */
  handle(request, response) {
    if (request.url.pathname !== this.path) response.writeHead(404).end();
    else if (request.method !== 'POST') response.writeHead(405, { allow: 'POST' }).end();
    else void this.#take(request, response);
  }

  /** @param {Request} request @param {Response} response */
  async #take({ headers, body }, response) {
    const message = parseJson(body);
    const key = message?.method === 'tools/call' ? message.params?.arguments?.key : undefined;
    const { post, answer } = this.record({ sessionId: '', key, message }, response);
    if (answer !== undefined) {
      if (answer.execute) {
        const { signal } = new AbortController();
        await carryOut(this, message, { signal, say: () => {}, dress: dressed });
      }
      return;
    }
    const wrong = wrongWith(headers, message);
    if (wrong !== undefined) this.refuse(post, response, wrong);
    else if (message.id === undefined) this.refuse(post, response, { status: 202 });
    else await this.#answer(headers, post);
  }

  /** @param {import('node:http').IncomingHttpHeaders} headers @param {Post} post */
  async #answer(headers, post) {
    const { message, response } = post;
    const { id, method, params } = message;
    const errorBody = errorOf(headers, message);
    if (errorBody !== undefined) {
      this.#json(post, { id, error: errorBody }, 400);
      return;
    }
    if (method === this.deafTo) {
      this.beginStream(response);
      return;
    }
    switch (method) {
      case 'server/discover':
        this.#json(post, {
          id,
          result: dressed({
            ...CACHEABLE,
            supportedVersions: [VERSION],
            capabilities: { tools: { listChanged: true }, logging: {} },
          }),
        });
        break;
      case 'tools/list':
        this.#json(post, { id, result: dressed({ ...CACHEABLE, tools: this.tools }) });
        break;
      case 'tools/call':
        await this.#call(post);
        break;
      case 'subscriptions/listen':
        this.#listen(id, params, response);
        break;
      default:
        this.#json(post, { id, error: { code: -32601, message: `no method ${method}` } }, 404);
    }
  }

  /** @param {Post} post */
  async #call(post) {
    const { message, response } = post;
    const stop = new AbortController();
    this.beginStream(response);
    post.answeredAt = performance.now();
    let isOurs = false;
    response.once('close', () => {
      // Whoever breaks the answer off has cancelled the request.
      if (isOurs || response.writableEnded) return;
      this.abandoned.push(post);
      stop.abort();
    });
    const how = this.breaksOff?.(post);
    const say = how === undefined ? saying(response) : () => {};
    await carryOut(this, message, { signal: stop.signal, say, dress: dressed });
    if (how === undefined) {
      response.end();
    } else {
      isOurs = true;
      cutAnswer(response, how);
    }
  }

  /** @param {string | number} id @param {any} params @param {Response} response */
  #listen(id, params, response) {
    this.beginStream(response, { sessionId: '', lastEventId: undefined, resumed: false });
    const say = saying(response);
    const toolsListChanged = params.notifications?.toolsListChanged === true;
    say({
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: toolsListChanged ? { toolsListChanged } : {},
        _meta: { [`${META}subscriptionId`]: id },
      },
    });
    if (!toolsListChanged) {
      say({ id, result: dressed({}, { [`${META}subscriptionId`]: id }) });
      response.end();
      return;
    }
    const subscription = { id, say, response };
    this.subscriptions.add(subscription);
    response.once('close', () => this.subscriptions.delete(subscription));
  }

  /** @param {Post} post @param {object} message @param {number} [status] */
  #json(post, message, status = 200) {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.refuse(post, post.response, {
      status,
      headers: { 'content-type': 'application/json' },
      body,
    });
  }
}

/** @param {Response} response @returns {Say} */
function saying(response) {
  return (message) => response.write(eventText('message', { jsonrpc: '2.0', ...message }));
}

/** What every result has. @param {object} result @param {object} [meta] */
function dressed(result, meta = {}) {
  const _meta = { [`${META}serverInfo`]: SERVER_INFO, ...meta };
  return { resultType: 'complete', ...result, _meta };
}

/**
 * What is wrong with a request, as a JSON-RPC error.
 *
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {any} message
 */
function errorOf(headers, { method, params }) {
  const meta = params?._meta ?? {};
  const version = meta[`${META}protocolVersion`];
  const versionHeader = headers['mcp-protocol-version'];
  if (version === undefined && versionHeader !== VERSION) {
    // A request of the era before.
    return unsupported(params?.protocolVersion ?? versionHeader);
  }
  const missing = ['protocolVersion', 'clientInfo', 'clientCapabilities'].filter(
    (name) => meta[META + name] === undefined,
  );
  if (missing.length > 0) return { code: -32602, message: `no ${missing.join(', ')} in _meta` };
  if (version !== versionHeader) {
    return mismatch('MCP-Protocol-Version', versionHeader, version);
  }
  if (version !== VERSION) return unsupported(version);
  if (headers['mcp-method'] !== method)
    return mismatch('Mcp-Method', headers['mcp-method'], method);
  const name = method === 'tools/call' ? params.name : undefined;
  if (name !== undefined && headers['mcp-name'] !== name) {
    return mismatch('Mcp-Name', headers['mcp-name'], name);
  }
  return undefined;
}

/** @param {string | undefined} requested */
function unsupported(requested = 'unknown') {
  const data = { supported: [VERSION], requested };
  return { code: UNSUPPORTED_VERSION, message: `Unsupported protocol version: ${requested}`, data };
}

/** @param {string} header @param {unknown} said @param {unknown} meant */
function mismatch(header, said, meant) {
  const message = `${header} is ${String(said)}, and the body says ${String(meant)}`;
  return { code: HEADER_MISMATCH, message };
}
