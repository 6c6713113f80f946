import {
  LATEST_PROTOCOL_VERSION,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import { MAX_TIMER_MS } from '../check-options.js';
import type { ServableServer } from '../options.js';
import type { TaskClient } from './task-store.js';

type Result = JSONRPCResultResponse['result'];

/** What is changed of the SDK's `Server`, of whichever version. */
interface InnerServer {
  request?: (this: object, request: unknown, ...rest: unknown[]) => Promise<unknown>;
  projectCallToolResult?: (this: object, result: Result, schema?: unknown) => Result;
  /** What fulfils a result that asks for input. It is private: where there is none, nothing is changed. */
  _legacyInputRequiredShim?: (this: object) => Shim;
}

interface Shim {
  fulfill(
    method: string,
    handler: unknown,
    request: unknown,
    context: unknown,
    result: Result,
  ): Promise<unknown>;
}

/**
 * The handshake of a task's server. It is one of 2025-11-25 whichever era the call is of: there a handler
 * may ask for input by an ordinary `await`, and the SDK fulfils what handlers of the newest era return
 * (`inputRequired`) by the same requests.
 */
export function handshakeOf({ capabilities, info }: TaskClient): JSONRPCRequest {
  const params = { protocolVersion: LATEST_PROTOCOL_VERSION, capabilities, clientInfo: info };
  return { jsonrpc: '2.0', id: 0, method: 'initialize', params };
}

/**
 * Lets a server wait for input for as long as its task lives: the SDK gives up after a minute, and a
 * person who comes back to a task takes longer. Call it before the server is connected.
 *
 * @param takesQuestions shown each result of a handler that asks for input. If it takes one, the call is
 * over; otherwise the SDK asks, and calls the handler again.
 * @returns what undoes the form that 2025-11-25 gives to structured content that is no object
 * (`{ "result": … }`), for answers in the form of the newest era.
 */
export function prepareServer(
  server: ServableServer,
  takesQuestions: (result: Result) => boolean,
): (result: Result) => Result {
  const { server: inner = server } = server as { server?: object };
  const {
    request,
    projectCallToolResult: project,
    _legacyInputRequiredShim: shimOf,
  } = inner as InnerServer;
  // It runs one call. The content itself is copied on its way.
  let isWrapped = false;
  const own: Partial<InnerServer> = {};
  if (request !== undefined) {
    own.request = (asked, ...rest) => {
      // `request(request, options)`, or `request(request, schema, options)`.
      const last = rest.at(-1);
      const hasOptions = rest.length > 0 && !isSchema(last);
      const options = { timeout: MAX_TIMER_MS, ...(hasOptions ? (last as object) : {}) };
      return request.call(inner, asked, ...(hasOptions ? rest.slice(0, -1) : rest), options);
    };
  }
  if (project !== undefined) {
    own.projectCallToolResult = (result, schema) => {
      const projected = project.call(inner, result, schema);
      isWrapped = projected['structuredContent'] !== result['structuredContent'];
      return projected;
    };
  }
  if (shimOf !== undefined) {
    own._legacyInputRequiredShim = () => ({
      fulfill: async (method, handler, asked, context, result) =>
        takesQuestions(result)
          ? { content: [] }
          : shimOf.call(inner).fulfill(method, handler, asked, context, result),
    });
  }
  Object.assign(inner, own);
  return (result) => {
    const { structuredContent: content } = result;
    if (!isWrapped || typeof content !== 'object' || content === null) return result;
    return { ...result, structuredContent: (content as { result?: unknown }).result };
  };
}

/** Of SDK 1.x, a schema of Zod; of SDK 2, a standard schema. */
function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('~standard' in value || '_def' in value);
}
