/**
 * The fewest steps that can do the job: a POST, whose body is the answer. How the server talks is
 * named in the query of this module's own URL. It trusts the server (one `data` line, one event an
 * answer), has no limits, no timeouts and no recovery; it is the floor that the others are compared
 * with.
 *
 * `dispatch` with the handler methods of undici's core is the cheapest way to make a POST that
 * undici has; `npm run bench -- floor` measures it against the other ways.
 */
import { Agent } from 'undici';

const ACCEPT = 'application/json, text/event-stream';
const CLIENT_INFO = { name: 'bare-loop', version: '1.0.0' };

/** One POST, settled with the result in its answer. */
class Post {
  /**
   * @param {(body: Buffer) => any} read the JSON-RPC answer in a body
   * @param {(result: any) => void} resolve
   * @param {(error: Error) => void} reject
   */
  constructor(read, resolve, reject) {
    this.read = read;
    this.resolve = resolve;
    this.reject = reject;
    this.statusCode = 0;
    /** @type {Buffer | undefined} */
    this.body = undefined;
  }
  onConnect() {}
  /** @param {number} statusCode */
  onHeaders(statusCode) {
    this.statusCode = statusCode;
    return true;
  }
  /** @param {Buffer} chunk */
  onData(chunk) {
    this.body = this.body === undefined ? chunk : Buffer.concat([this.body, chunk]);
    return true;
  }
  onComplete() {
    if (this.statusCode !== 200 || this.body === undefined) {
      this.reject(new Error(`POST answered ${this.statusCode}`));
      return;
    }
    try {
      const { result, error } = this.read(this.body);
      if (error === undefined) this.resolve(result);
      else this.reject(new Error(error.message));
    } catch (error) {
      this.reject(/** @type {Error} */ (error));
    }
  }
  /** @param {Error} error */
  onError(error) {
    this.reject(error);
  }
}

/** What makes an answer of a body. */
const READ = {
  json: (/** @type {Buffer} */ body) => JSON.parse(body.toString()),
  sse: (/** @type {Buffer} */ body) => {
    const text = body.toString();
    // The blank line behind it is white space to JSON.
    return JSON.parse(text.slice(text.indexOf('data: ') + 6));
  },
};

/**
 * @param {string} url
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url) {
  const { searchParams } = new URL(import.meta.url);
  const read = READ[/** @type {keyof typeof READ} */ (searchParams.get('answers'))];
  const version = searchParams.get('version') ?? '';
  const { origin, pathname: path } = new URL(url);
  const dispatcher = new Agent();
  let lastId = 0;

  /**
   * @param {string[]} headers
   * @param {string} method
   * @param {object} params
   * @returns {Promise<any>}
   */
  function request(headers, method, params) {
    return new Promise((resolve, reject) => {
      dispatcher.dispatch(
        {
          origin,
          path,
          method: 'POST',
          headers,
          body: JSON.stringify({ jsonrpc: '2.0', id: ++lastId, method, params }),
        },
        new Post(read, resolve, reject),
      );
    });
  }

  /**
   * The handshake, of which nothing is measured.
   *
   * @returns {Promise<string>} the session
   */
  async function initialize() {
    /** @param {object} message @param {Record<string, string>} headers */
    const post = async (message, headers) => {
      const answer = await dispatcher.request({
        origin,
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: ACCEPT, ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      });
      await answer.body.dump();
      return String(answer.headers['mcp-session-id']);
    };
    const params = { protocolVersion: version, capabilities: {}, clientInfo: CLIENT_INFO };
    const session = await post({ id: ++lastId, method: 'initialize', params }, {});
    await post(
      { method: 'notifications/initialized' },
      { 'mcp-session-id': session, 'mcp-protocol-version': version },
    );
    return session;
  }

  const common = ['content-type', 'application/json', 'accept', ACCEPT];
  common.push('mcp-protocol-version', version);
  if (version === '2026-07-28') {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': version,
      'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    await request([...common, 'mcp-method', 'tools/list'], 'tools/list', { _meta });
    const headers = [...common, 'mcp-method', 'tools/call', 'mcp-name', 'echo'];
    return {
      callTool: (name, args) => request(headers, 'tools/call', { name, arguments: args, _meta }),
    };
  }
  const headers = [...common, 'mcp-session-id', await initialize()];
  await request(headers, 'tools/list', {});
  return {
    callTool: (name, args) => request(headers, 'tools/call', { name, arguments: args }),
  };
}
