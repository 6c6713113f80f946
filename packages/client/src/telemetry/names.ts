/**
 * Names of OpenTelemetry's semantic conventions for MCP, which are under development: a test compares
 * them with `@opentelemetry/semantic-conventions`.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 */

export const METHOD = 'mcp.method.name';
export const PROTOCOL_VERSION = 'mcp.protocol.version';
export const RESOURCE_URI = 'mcp.resource.uri';
export const REQUEST_ID = 'jsonrpc.request.id';
export const OPERATION = 'gen_ai.operation.name';
export const EXECUTE_TOOL = 'execute_tool';
export const TOOL = 'gen_ai.tool.name';
export const PROMPT = 'gen_ai.prompt.name';
export const ERROR_TYPE = 'error.type';
export const ERROR_CODE = 'rpc.response.status_code';
export const NETWORK_TRANSPORT = 'network.transport';
export const NETWORK_PROTOCOL = 'network.protocol.name';
export const SERVER_ADDRESS = 'server.address';
export const SERVER_PORT = 'server.port';
/** What the program calls the server. */
export const SERVER_NAME = 'server.service.name';
/** The principal. */
export const USER = 'user.id';

export const OPERATION_DURATION = 'mcp.client.operation.duration';
export const SESSION_DURATION = 'mcp.client.session.duration';

/** What stands for every name that has no label of its own. */
export const OTHER = '_OTHER';

/** The boundaries that the conventions give both durations, in seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
];

/** Names of our own, for which there is no convention. */
export const CERTAINTY = 'longwire.certainty';
export const TRANSPORT = 'longwire.transport';
export const ATTEMPT = 'longwire.attempt';
/** `hit` or `miss`, of what a cache may keep. */
export const CACHE = 'longwire.cache';
export const TARGET = 'longwire.target';
export const STATE = 'longwire.state';
/** The state of a circuit breaker. */
export const BREAKER = 'longwire.breaker';
