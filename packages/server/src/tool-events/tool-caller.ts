import { randomUUID } from 'node:crypto';
import {
  LATEST_PROTOCOL_VERSION,
  METHOD_NOT_FOUND,
  ProtocolError,
} from '@modelcontextprotocol/server';
import type {
  CallToolRequestParams,
  CallToolResult,
  JSONRPCMessage,
  JSONRPCResultResponse,
  ListToolsResult,
  MessageExtraInfo,
  Tool,
} from '@modelcontextprotocol/server';

import type { LoggedEvent } from '../events/event-log.js';

/** As whom a caller initializes a server. */
export const CALLER_NAME = 'tool-events';

const SESSION_ENDED = 'the session has ended';

type Deliver = (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;

interface Pending {
  resolve: (result: JSONRPCResultResponse['result']) => void;
  reject: (error: Error) => void;
}

/**
 * Lists and calls the tools of a session's server for a client that does not speak JSON-RPC. It shares
 * the session's transport with the client, and recognises its own requests by unguessable ids. So one
 * server holds the state of the session in both cases.
 */
export class ToolCaller {
  readonly #deliver: Deliver;
  readonly #idPrefix = `${randomUUID()}:`;
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;
  #initialization: Promise<void> | undefined;
  #isClient = false;
  #isClosed = false;

  /**
   * @param deliver passes a message to the server.
   * @param initializedBy who has initialized the server already: its client, or a caller before this one.
   */
  constructor(deliver: Deliver, initializedBy?: 'client' | 'caller') {
    this.#deliver = deliver;
    if (initializedBy === undefined) return;
    this.#initialization = Promise.resolve();
    this.#isClient = initializedBy === 'caller';
  }

  /** The server's tools, all pages; empty if it has none. */
  async listTools(): Promise<Tool[]> {
    const tools: Tool[] = [];
    let cursor: string | undefined;
    do {
      // A server must be able to list its tools before it is initialized. Initializing it here would
      // take the handshake away from the client, which may yet turn out to speak JSON-RPC.
      const page = (await this.#request(
        'tools/list',
        cursor === undefined ? {} : { cursor },
      )) as ListToolsResult;
      tools.push(...page.tools);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return tools;
  }

  /**
   * Calls a tool. A tool that reports an error is a result.
   *
   * @throws ProtocolError when the server answers with an error: an unknown tool is one.
   * @throws Error when the signal is aborted, which cancels the call, or the session ends.
   */
  async callTool(
    { name, arguments: args }: CallToolRequestParams,
    options: { readonly signal: AbortSignal; readonly extra?: MessageExtraInfo },
  ): Promise<CallToolResult> {
    await this.#initialized();
    return (await this.#request(
      'tools/call',
      { name, arguments: args },
      options,
    )) as CallToolResult;
  }

  /** Called with every message of the client: whoever initializes the server is its client. */
  noteIncoming(message: JSONRPCMessage): void {
    if (!('method' in message) || message.method !== 'initialize') return;
    this.#isClient = false;
    this.#initialization = Promise.resolve();
  }

  /** Called with every message of the server; true if it was for this caller alone. */
  claimOutgoing(message: JSONRPCMessage): boolean {
    if ('method' in message) {
      if (!this.#isClient || !('id' in message)) return false;
      const error = { code: METHOD_NOT_FOUND, message: 'The client takes no requests' };
      queueMicrotask(() => this.#deliver({ jsonrpc: '2.0', id: message.id, error }));
      return true;
    }
    const pending = this.#pending.get(String(message.id));
    if (!pending) return false;
    this.#pending.delete(String(message.id));
    if ('error' in message) {
      const { code, message: text, data } = message.error;
      pending.reject(ProtocolError.fromError(code, text, data));
    } else {
      pending.resolve(message.result);
    }
    return true;
  }

  /** Fails open and later requests. */
  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#pending.values()) reject(new Error(SESSION_ENDED));
    this.#pending.clear();
  }

  #initialized(): Promise<void> {
    if (this.#initialization) return this.#initialization;
    const initialized = this.#initialize();
    this.#initialization = initialized;
    // After a failure the next call tries again, unless the client has initialized meanwhile.
    initialized.catch(() => {
      if (this.#initialization === initialized) this.#initialization = undefined;
    });
    return initialized;
  }

  async #initialize(): Promise<void> {
    this.#isClient = true;
    await this.#request('initialize', {
      protocolVersion: LATEST_PROTOCOL_VERSION,
      capabilities: {},
      clientInfo: { name: CALLER_NAME, version: '1' },
    });
    this.#deliver({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  #request(
    method: string,
    params: Record<string, unknown>,
    { signal, extra }: { readonly signal?: AbortSignal; readonly extra?: MessageExtraInfo } = {},
  ): Promise<JSONRPCResultResponse['result']> {
    const id = `${this.#idPrefix}${++this.#lastId}`;
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new Error(SESSION_ENDED);
      signal?.throwIfAborted();
      const cancel = (): void => {
        if (!this.#pending.delete(id)) return;
        const requestId = id;
        this.#deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
        reject(new Error('the call was cancelled'));
      };
      this.#pending.set(id, { resolve, reject });
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        this.#deliver({ jsonrpc: '2.0', id, method, params }, extra);
      } catch (error) {
        this.#pending.delete(id);
        throw error;
      }
    });
  }
}

/** Whether the server reports that its tools have changed. */
export function isToolsChanged({ about, data }: Pick<LoggedEvent, 'about' | 'data'>): boolean {
  const method = 'notifications/tools/list_changed';
  if (about !== undefined || !data.includes(method)) return false;
  return (JSON.parse(data) as { method?: unknown }).method === method;
}
