/**
 * Names of OpenTelemetry's semantic conventions for MCP, which are under development: a test compares
 * them with `@opentelemetry/semantic-conventions`.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 */

export const METHOD = 'mcp.method.name';
export const PROTOCOL_VERSION = 'mcp.protocol.version';
export const SESSION_ID = 'mcp.session.id';
export const RESOURCE_URI = 'mcp.resource.uri';
export const REQUEST_ID = 'jsonrpc.request.id';
export const OPERATION = 'gen_ai.operation.name';
export const EXECUTE_TOOL = 'execute_tool';
export const TOOL = 'gen_ai.tool.name';
export const PROMPT = 'gen_ai.prompt.name';
export const ERROR_TYPE = 'error.type';
export const ERROR_CODE = 'rpc.response.status_code';
export const HTTP_STATUS = 'http.response.status_code';
export const NETWORK_TRANSPORT = 'network.transport';
export const NETWORK_PROTOCOL = 'network.protocol.name';
export const NETWORK_PROTOCOL_VERSION = 'network.protocol.version';
export const CLIENT_ADDRESS = 'client.address';
export const CLIENT_PORT = 'client.port';
export const HEAP_SPACE = 'v8js.heap.space.name';

export const OPERATION_DURATION = 'mcp.server.operation.duration';
export const SESSION_DURATION = 'mcp.server.session.duration';
export const HEAP_USED = 'v8js.memory.heap.used';
export const LOOP_DELAY = 'nodejs.eventloop.delay';
export const LOOP_UTILIZATION = 'nodejs.eventloop.utilization';

/** What stands for every name that has no label of its own. */
export const OTHER = '_OTHER';

/** The boundaries that the conventions give both durations, in seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
];

/** Names of our own, for which there is no convention. */
export const REASON = 'longwire.reason';
export const QUEUE = 'longwire.queue.name';
