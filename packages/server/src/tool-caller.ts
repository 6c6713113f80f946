import { randomUUID } from 'node:crypto';
import {
  LATEST_PROTOCOL_VERSION,
  METHOD_NOT_FOUND,
  ProtocolError,
} from '@modelcontextprotocol/server';
import type {
  CallToolResult,
  JSONRPCMessage,
  JSONRPCResultResponse,
  ListToolsResult,
  Tool,
} from '@modelcontextprotocol/server';

const SESSION_ENDED = 'the session has ended';

interface Pending {
  resolve: (result: JSONRPCResultResponse['result']) => void;
  reject: (error: Error) => void;
}

/**
 * Lists and calls the tools of a session's server on behalf of a client that does not speak
 * JSON-RPC. It shares the session's transport with the client, and knows its own requests by ids
 * that nobody else can have: so one server holds the state of the session, whoever speaks.
 */
export class ToolCaller {
  readonly #deliver: (message: JSONRPCMessage) => void;
  readonly #idPrefix = `${randomUUID()}:`;
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;
  #handshake: Promise<void> | undefined;
  #isClient = false;
  #isClosed = false;

  /** @param deliver hands a message to the server. */
  constructor(deliver: (message: JSONRPCMessage) => void) {
    this.#deliver = deliver;
  }

  /** All pages of the server's tools; none when it does not have tools. */
  async listTools(): Promise<Tool[]> {
    const tools: Tool[] = [];
    let cursor: string | undefined;
    do {
      // A server must be able to list its tools without knowing who asks, and to initialize it here
      // would take the handshake away from the client, which may yet turn out to speak JSON-RPC.
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
    name: string,
    args: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<CallToolResult> {
    await this.#initialized();
    const params = { name, arguments: args };
    return (await this.#request('tools/call', params, signal)) as CallToolResult;
  }

  /** To be shown everything that the client sends: who initializes the server is its client. */
  noteIncoming(message: JSONRPCMessage): void {
    if (!('method' in message) || message.method !== 'initialize') return;
    this.#isClient = false;
    this.#handshake = Promise.resolve();
  }

  /** To be shown everything that the server sends; true when it was for this caller alone. */
  takeOutgoing(message: JSONRPCMessage): boolean {
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

  /** Fails what is still open, and what comes after it. */
  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#pending.values()) reject(new Error(SESSION_ENDED));
    this.#pending.clear();
  }

  #initialized(): Promise<void> {
    if (this.#handshake) return this.#handshake;
    const handshake = this.#initialize();
    this.#handshake = handshake;
    // The next call tries again, unless the client has done it meanwhile.
    handshake.catch(() => {
      if (this.#handshake === handshake) this.#handshake = undefined;
    });
    return handshake;
  }

  async #initialize(): Promise<void> {
    this.#isClient = true;
    await this.#request('initialize', {
      protocolVersion: LATEST_PROTOCOL_VERSION,
      capabilities: {},
      clientInfo: { name: 'tool-events', version: '1' },
    });
    this.#deliver({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  #request(
    method: string,
    params: Record<string, unknown>,
    signal?: AbortSignal,
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
      this.#deliver({ jsonrpc: '2.0', id, method, params });
    });
  }
}

/** Whether this is the server saying that its tools are not what they were. */
export function isToolsChanged(message: JSONRPCMessage): boolean {
  return 'method' in message && message.method === 'notifications/tools/list_changed';
}
