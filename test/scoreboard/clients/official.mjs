/**
 * The official SDK's `Client` over its `SSEClientTransport`, which reconnects by itself, as its
 * documentation shows. Calls get its own time limits, started anew by progress.
 */

/** @typedef {typeof import('@modelcontextprotocol/client')} Sdk */

const NO_METHOD = 'Received a response for an unknown message ID';

/**
 * @param {import('./adapter.mjs').Surroundings} surroundings
 * @returns {import('./adapter.mjs').Adapter}
 */
export function open({ load, onNotification, onState, elicit }) {
  /** @type {Sdk} */
  const { Client, SSEClientTransport } = load('@modelcontextprotocol/client');
  /** @type {InstanceType<Sdk['Client']> | undefined} */
  let client;
  let url = '';
  /** @type {import('./adapter.mjs').ConnectOptions} */
  let options = {};
  let dropped = 0;

  function make() {
    const made = new Client(
      { name: 'scoreboard', version: '1.0.0' },
      { capabilities: { elicitation: {} } },
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
    create(target, given) {
      url = target;
      options = given;
      client = make();
    },
    async connect(signal) {
      client ??= make();
      const { connectMs } = options;
      await client.connect(new SSEClientTransport(new URL(url)), {
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
