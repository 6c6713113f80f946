/**
 * The official SDK's `Client` over its own transports, as its documentation shows. Calls get its
 * own time limits, started anew by progress.
 */

/** @typedef {typeof import('@modelcontextprotocol/client')} Sdk */

const NO_METHOD = 'Received a response for an unknown message ID';

/**
 * @param {import('./adapter.mjs').AdapterOptions} options
 * @returns {import('./adapter.mjs').Adapter}
 */
export function open({ load, onNotification, onToolsChanged, onState, elicit }) {
  /** @type {Sdk} */
  const sdk = load('@modelcontextprotocol/client');
  const { Client, SSEClientTransport, StreamableHTTPClientTransport } = sdk;
  /** @type {InstanceType<Sdk['Client']> | undefined} */
  let client;
  /** @type {import('./adapter.mjs').Target} */
  let target = '';
  /** @type {import('./adapter.mjs').ConnectOptions} */
  let options = {};
  let dropped = 0;

  const MODERN = {
    versionNegotiation: /** @type {const} */ ({ mode: 'auto' }),
    listChanged: { tools: { onChanged: onToolsChanged } },
  };

  const isModern = () => options.transport === 'stateless' || options.transport === 'eras';

  function makeTransport() {
    if (typeof target !== 'string') {
      /** @type {typeof import('@modelcontextprotocol/client/stdio')} */
      const { StdioClientTransport } = load('@modelcontextprotocol/client/stdio');
      return new StdioClientTransport(target);
    }
    const url = new URL(target);
    return options.transport === 'sse' || options.transport === 'tool-events'
      ? new SSEClientTransport(url)
      : new StreamableHTTPClientTransport(url);
  }

  function make() {
    const made = new Client(
      { name: 'scoreboard', version: '1.0.0' },
      { capabilities: { elicitation: {} }, ...(isModern() && MODERN) },
    );
    made.setRequestHandler('elicitation/create', (request) => elicit(request.params.message));
    made.fallbackNotificationHandler = async () => onNotification();
    made.onerror = (error) => {
      if (error.message.includes(NO_METHOD)) dropped += 1;
    };
    made.onclose = () => onState('closed');
    return made;
  }

  return {
    create(wanted, given) {
      target = wanted;
      options = given;
      client = make();
    },
    async connect(signal) {
      client ??= make();
      const { connectMs } = options;
      await client.connect(makeTransport(), {
        signal,
        ...(connectMs !== undefined && { timeout: connectMs }),
      });
    },
    listTools: async () => (await client?.listTools())?.tools.length ?? 0,
    async call(tool, args, { timeoutMs, deadlineMs, signal, onProgress }) {
      if (client === undefined) throw new Error('not created');
      const result = await client.callTool(
        { name: tool, arguments: args },
        {
          signal,
          onprogress: onProgress,
          resetTimeoutOnProgress: true,
          ...(timeoutMs !== undefined && { timeout: timeoutMs }),
          ...(deadlineMs !== undefined && { maxTotalTimeout: deadlineMs }),
        },
      );
      return /** @type {import('./adapter.mjs').CallResult} */ (result);
    },
    async close() {
      await client?.close();
      client = undefined;
    },
    droppedAnswers: () => dropped,
  };
}
