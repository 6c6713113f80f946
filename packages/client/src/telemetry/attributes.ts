import { LongwireError, ServerError } from '../errors.js';
import type { McpRequest, McpResponse, RequestRoute } from '../middleware/contract.js';
import { outcomeOfError } from '../middleware/outcome.js';
import { toolOf } from '../middleware/tools.js';
import type { TransportName } from '../transport-name.js';
import * as names from './names.js';

/** Attributes of a span, a metric or a log line. */
export type Attributes = Record<string, string | number>;

/** Which server it is, and where, if it has a URL. */
export function serverAttributes(name: string, origin: string | undefined): Attributes {
  const attributes: Attributes = { [names.SERVER_NAME]: name };
  if (origin === undefined) return attributes;
  const { hostname, port, protocol } = new URL(origin);
  attributes[names.SERVER_ADDRESS] = hostname.replace(/^\[(.*)\]$/, '$1');
  attributes[names.SERVER_PORT] = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  attributes[names.NETWORK_TRANSPORT] = 'tcp';
  attributes[names.NETWORK_PROTOCOL] = 'http';
  return attributes;
}

/** What a request is about, which may be anything that the program asks for. */
export function requestAttributes(request: McpRequest): Attributes {
  const { method, params, principal } = request;
  const attributes: Attributes = { [names.METHOD]: method };
  const [tool, prompt, uri] = [toolOf(request), promptOf(request), params?.['uri']];
  if (tool !== undefined) {
    attributes[names.OPERATION] = names.EXECUTE_TOOL;
    attributes[names.TOOL] = tool;
  }
  if (prompt !== undefined) attributes[names.PROMPT] = prompt;
  if (method.startsWith('resources/') && typeof uri === 'string') {
    attributes[names.RESOURCE_URI] = uri;
  }
  if (principal !== undefined) attributes[names.USER] = principal;
  return attributes;
}

/**
 * What is known once a request leaves. The conventions' `mcp.session.id` is left out: the id is a secret
 * of the connection. So is `jsonrpc.protocol.version`, which they want where it is not 2.0.
 */
export function routeAttributes(
  route: Pick<RequestRoute, 'transport' | 'protocolVersion'> | undefined,
): Attributes {
  if (route === undefined) return {};
  const { transport, protocolVersion } = route;
  return {
    ...(protocolVersion !== undefined && { [names.PROTOCOL_VERSION]: protocolVersion }),
    ...transportAttributes(transport),
  };
}

/** How the server is talked to. */
export function transportAttributes(transport: TransportName): Attributes {
  return {
    [names.TRANSPORT]: transport,
    ...(transport === 'stdio' && { [names.NETWORK_TRANSPORT]: 'pipe' }),
  };
}

/** How a request failed that threw. */
export function errorAttributes(error: unknown): Attributes {
  const attributes: Attributes = { [names.ERROR_TYPE]: outcomeOfError(error) };
  if (error instanceof LongwireError) attributes[names.CERTAINTY] = error.certainty;
  if (error instanceof ServerError) {
    attributes[names.ERROR_TYPE] = attributes[names.ERROR_CODE] = String(error.number);
  }
  return attributes;
}

/** What there is to say of an answer: a tool's error, and what a cache did. */
export function responseAttributes({ result, metadata }: McpResponse): Attributes {
  const { cache } = metadata;
  return {
    ...(result['isError'] === true && {
      [names.ERROR_TYPE]: 'tool_error',
      [names.CERTAINTY]: 'answered',
    }),
    ...(typeof cache === 'string' && { [names.CACHE]: cache }),
  };
}

/** The prompt that the request gets, if it does. */
export function promptOf({ method, params }: McpRequest): string | undefined {
  const name = method === 'prompts/get' ? params?.['name'] : undefined;
  return typeof name === 'string' ? name : undefined;
}
