import type { ServerResponse } from 'node:http';
import type { RecordedRequest } from './http-fixture.ts';
import type { RpcMessage } from './strict-mcp-session.ts';

/** An answer to a request that is not the one which it hoped for. */
export interface HttpAnswer {
  status: number;
  headers?: Record<string, string>;
  /** `ID` in it is replaced by the id of the message. */
  body?: string;
}

/** An answer for some POSTs; without `method` and `tool`, for all. The message is not looked at. */
export interface PostFault extends HttpAnswer {
  /** The method of the message, for example `tools/call`. */
  method?: string;
  /** The tool that the message calls. */
  tool?: string;
  /** How many POSTs it is for. Default: all. */
  times?: number;
  /** Drops the connection instead. */
  breaksOff?: boolean;
}

/** Takes the fault that is meant for a message, if there is one. */
export function takeFault(
  faults: readonly PostFault[] = [],
  { method, params }: RpcMessage,
): PostFault | undefined {
  const fault = faults.find(
    (candidate) =>
      candidate.times !== 0 &&
      (candidate.method === undefined || candidate.method === method) &&
      (candidate.tool === undefined || candidate.tool === params?.['name']),
  );
  if (fault?.times !== undefined) fault.times -= 1;
  return fault;
}

/** Answers a request, and the message that it brought. */
export function answer(
  response: ServerResponse,
  { status, headers = {}, body = '' }: HttpAnswer,
  message?: RpcMessage,
): void {
  response.writeHead(status, headers).end(body.replace('ID', JSON.stringify(message?.id ?? null)));
}

/** Whether a request has these headers, whatever the case of their names. */
export function hasHeaders(
  request: RecordedRequest,
  required: Record<string, string> = {},
): boolean {
  return Object.entries(required).every(
    ([name, value]) => request.headers[name.toLowerCase()] === value,
  );
}
