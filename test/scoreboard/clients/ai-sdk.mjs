/**
 * `@ai-sdk/mcp` with its own transports. It does not reconnect; its own retries of calls
 * (`maxRetries`) are switched on. The time-outs of its calls are not started anew by progress, so
 * that only the hard cap is used, and no idle time.
 */

/**
 * @typedef {object} AiSdkClient what is used of it
 * @property {() => Promise<{ tools: unknown[] }>} listTools
 * @property {(call: { name: string, arguments: Record<string, unknown>, options: object }) =>
 *   Promise<import('./adapter.mjs').CallResult>} callTool
 * @property {(schema: unknown, handler: (request: { params: { message: string } }) => unknown) =>
 *   void} onElicitationRequest
 * @property {() => Promise<void>} close
 */

/**
 * @param {import('./adapter.mjs').AdapterOptions} options
 * @returns {import('./adapter.mjs').Adapter}
 */
export function open({ load, elicit }) {
  const { createMCPClient, ElicitationRequestSchema } = load('@ai-sdk/mcp');
  /** @type {AiSdkClient | undefined} */
  let client;
  /** @type {import('./adapter.mjs').Target} */
  let target = '';
  /** @type {import('./adapter.mjs').ConnectOptions} */
  let options = {};
  let dropped = 0;

  function connected() {
    if (client === undefined) throw new Error('not connected');
    return client;
  }

  function makeTransport() {
    if (typeof target !== 'string') {
      const { StdioMCPTransport } = load('@ai-sdk/mcp/mcp-stdio');
      return new StdioMCPTransport(target);
    }
    const isSse = options.transport === 'sse' || options.transport === 'tool-events';
    return { type: isSse ? 'sse' : 'http', url: target };
  }

  return {
    create(wanted, given) {
      target = wanted;
      options = given;
    },
    async connect(signal) {
      const { connectMs, retry } = options;
      /** @type {AiSdkClient} */
      const made = await createMCPClient({
        transport: makeTransport(),
        initializationOptions: {
          signal,
          ...(connectMs !== undefined && { timeout: connectMs }),
        },
        maxRetries: retry?.maxAttempts ?? 5,
        capabilities: { elicitation: {} },
        onUncaughtError: (/** @type {unknown} */ error) => {
          if (causesOf(error).includes('unknown message ID')) dropped += 1;
        },
      });
      made.onElicitationRequest(ElicitationRequestSchema, ({ params }) => elicit(params.message));
      client = made;
    },
    listTools: async () => (await connected().listTools()).tools.length,
    call: (tool, args, { deadlineMs, signal }) =>
      connected().callTool({
        name: tool,
        arguments: args,
        options: { signal, ...(deadlineMs !== undefined && { maxTotalTimeout: deadlineMs }) },
      }),
    async close() {
      await client?.close();
      client = undefined;
    },
    droppedAnswers: () => dropped,
  };
}

/** @param {unknown} error @returns {string} the messages of an error and of all that caused it */
function causesOf(error) {
  if (!(error instanceof Error)) return '';
  return `${error.message} ${causesOf(error.cause)}`;
}
