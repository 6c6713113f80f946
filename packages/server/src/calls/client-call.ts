import type { JSONRPCRequest, ProgressToken } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { ClientRequest } from '../client-request.js';
import type { Principal } from '../principal.js';
import type { Call, TransportName } from './call.js';

/** Where a call came from. */
export interface CallOrigin {
  readonly principal: Principal;
  readonly transport: TransportName;
  readonly sessionId?: string | undefined;
  readonly protocolVersion?: string | undefined;
  readonly request: ClientRequest;
}

/** A call with what ends it. */
export class ClientCall implements Call {
  readonly id: JSONRPCRequest['id'];
  readonly method: string;
  readonly params: JSONRPCRequest['params'];
  readonly principal: Principal;
  readonly transport: TransportName;
  readonly sessionId: string | undefined;
  readonly protocolVersion: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly request: ClientRequest;
  readonly receivedAt: number = performance.now();
  readonly log: FastifyBaseLogger;
  /** Whether the gates were told of its end. */
  isOver = false;
  /** Sends a notification on the stream of the call. */
  notify: ((method: string, params: Record<string, unknown>) => void) | undefined;
  #ended: AbortController | undefined;
  #isCancelled = false;

  constructor({ id, method, params }: JSONRPCRequest, origin: CallOrigin) {
    this.id = id;
    this.method = method;
    this.params = params;
    this.principal = origin.principal;
    this.transport = origin.transport;
    this.sessionId = origin.sessionId;
    this.protocolVersion = origin.protocolVersion;
    this.headers = origin.request.headers;
    this.request = origin.request;
    this.log = origin.request.log;
  }

  get target(): string | undefined {
    const { name, uri } = (this.params ?? {}) as { name?: unknown; uri?: unknown };
    const target = name ?? uri;
    return typeof target === 'string' ? target : undefined;
  }

  /** Made when somebody asks: most calls are never waited for. */
  get signal(): AbortSignal {
    this.#ended ??= new AbortController();
    if (this.#isCancelled) this.#ended.abort();
    return this.#ended.signal;
  }

  /** Aborts the signal. */
  cancel(): void {
    this.#isCancelled = true;
    this.#ended?.abort();
  }

  progress(progress: number, message: string): void {
    const progressToken = this.params?._meta?.['progressToken'] as ProgressToken | undefined;
    if (progressToken === undefined) return;
    this.notify?.('notifications/progress', { progressToken, progress, message });
  }
}
