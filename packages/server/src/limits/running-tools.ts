import { CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { WorkerCall } from './work-queue.js';

/** Whatever is told when the tool of a call begins and ends. */
export interface ToolRun {
  /** @throws Error when the call has ended, and its tool must not begin. */
  begun(): void;
  ended(): void;
  /** Runs the tool in another process. Missing where it runs here. */
  elsewhere?: ((request: ToolRequest) => Promise<unknown>) | undefined;
}

/** What the tool of a call would have been given. */
export interface ToolRequest {
  readonly params: Readonly<Record<string, unknown>>;
  readonly client: WorkerCall['client'];
  /** Aborted when the call is cancelled. */
  readonly signal: AbortSignal;
  /** Tells the client something about the call. */
  notify(method: string, params: Record<string, unknown>): Promise<unknown>;
}

type Handler = (request: unknown, context: unknown) => unknown;

/** What is used of an SDK server, of whichever version. */
interface InnerServer {
  readonly _requestHandlers?: unknown;
  getClientCapabilities?(): object | undefined;
  getClientVersion?(): object | undefined;
  sendLoggingMessage?(params: object, sessionId?: string): Promise<void>;
}

const runs = new AsyncLocalStorage<ToolRun>();

/** Hands a call to its server, so that a watched server tells this run of its tool. */
export function deliverRun(run: ToolRun, deliver: () => void): void {
  runs.run(run, deliver);
}

/**
 * Watches when the tools of a server begin and really end. After a cancellation an SDK server sends
 * nothing any more, so that its messages do not say when the tool ended. Call it before the server is
 * connected.
 *
 * The SDK has no hook for this. Its map of handlers is not part of its types; where there is none, false
 * is returned and the server is left as it is: its tools seem to end with their calls.
 */
export function watchTools(server: object): boolean {
  const { server: inner = server } = server as { server?: InnerServer };
  const { _requestHandlers: handlers } = inner as InnerServer;
  if (!(handlers instanceof Map)) return false;
  const handler: unknown = handlers.get('tools/call');
  if (typeof handler !== 'function') return false;
  handlers.set('tools/call', watched(handler as Handler, inner as InnerServer));
  return true;
}

/** Whether the tools of a server can be watched, those included that it gets later. */
export function isWatchable(server: object): boolean {
  const { server: inner = server } = server as { server?: InnerServer };
  return (inner as InnerServer)._requestHandlers instanceof Map;
}

function watched(handler: Handler, inner: InnerServer): Handler {
  return (request, context) => {
    const run = runs.getStore();
    if (run === undefined) return handler(request, context);
    return watchRun(run, () =>
      run.elsewhere === undefined
        ? handler(request, context)
        : run.elsewhere(toolRequest(request, context, inner)),
    );
  };
}

/** The context of a handler: of SDK 2, or of SDK 1.x. */
interface HandlerContext {
  readonly sessionId?: string;
  readonly mcpReq?: {
    readonly signal: AbortSignal;
    readonly envelope?: Readonly<Record<string, object | undefined>>;
    notify(notification: object): Promise<void>;
    log(level: unknown, data: unknown, logger?: unknown): Promise<void>;
  };
  readonly signal?: AbortSignal;
  sendNotification?(notification: object): Promise<void>;
}

function toolRequest(request: unknown, context: unknown, inner: InnerServer): ToolRequest {
  const { params } = request as { params: Readonly<Record<string, unknown>> };
  const { mcpReq, ...legacy } = context as HandlerContext;
  const envelope = mcpReq?.envelope;
  return {
    params,
    client: {
      capabilities: {
        ...(envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? inner.getClientCapabilities?.()),
      },
      info: { ...(envelope?.[CLIENT_INFO_META_KEY] ?? inner.getClientVersion?.()) },
    },
    signal: mcpReq?.signal ?? legacy.signal ?? new AbortController().signal,
    notify: async (method, given) => {
      if (method !== 'notifications/message') {
        const notification = { method, params: given };
        return mcpReq?.notify(notification) ?? legacy.sendNotification?.(notification);
      }
      // These know from which level on the client wants them.
      const { level, data, logger } = given;
      return (
        mcpReq?.log(level, data, logger) ?? inner.sendLoggingMessage?.(given, legacy.sessionId)
      );
    },
  };
}

async function watchRun(run: ToolRun, handle: () => unknown): Promise<unknown> {
  run.begun();
  try {
    return await handle();
  } finally {
    run.ended();
  }
}
