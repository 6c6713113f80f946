import type { Buffer } from 'node:buffer';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
import type { HttpMethod } from '../options/channel-options.js';
import type { TransportName } from '../transport-name.js';
import type { SendOptions } from './send-options.js';

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The head of a 2xx response. */
export interface HttpResponse {
  status: number;
  headers: ResponseHeaders;
  /** The URL that answered, after redirects. */
  url: URL;
}

/**
 * Receives what becomes of a request: `onHead`, `onData`, `onEnd` for a 2xx response, or `onError`
 * and nothing else.
 */
export interface ResponseHandler {
  /** The first byte of the request is about to leave; once for each time that it is sent. */
  onSent?(): void;
  /** The head of a 2xx response, before any of its body. */
  onHead(response: HttpResponse): void;
  /** Bytes of the body. A LongwireError thrown here ends the body with it. Default: nobody reads it. */
  onData?: ((chunk: Buffer) => void) | undefined;
  /** Once, after `onHead`: the body is complete, or broke with this error. */
  onEnd?(error: LongwireError | undefined): void;
  /** Instead of `onHead`. `body` is that of an HTTP error, as far as it was read. */
  onError(error: LongwireError, body?: string): void;
}

/** One request, before the program's headers are added. */
export interface HttpRequestOptions {
  method: HttpMethod;
  url: URL;
  transport: TransportName | undefined;
  /** Headers of the transport. The same object for the same headers, so that merges are cached. */
  headers: Readonly<Record<string, string>>;
  body?: string;
  /** The message that the body carries. */
  message?: JSONRPCMessage;
  /** The call for which it is sent. Default: no call; it belongs to the connection. */
  caller?: SendOptions | undefined;
  /** It goes over the connection that is reserved for probes. Default: no. */
  isProbe?: boolean;
  /** Its response is a stream on which the server speaks unasked. Default: no. */
  isServerStream?: boolean;
  handler: ResponseHandler;
}
