import { AsyncLocalStorage } from 'node:async_hooks';

/** Whatever is told when the tool of a call begins and ends. */
export interface ToolRun {
  /** @throws Error when the call has ended, and its tool must not begin. */
  begun(): void;
  ended(): void;
}

type Handler = (request: unknown, context: unknown) => unknown;

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
  const { server: inner = server } = server as { server?: object };
  const { _requestHandlers: handlers } = inner as { _requestHandlers?: unknown };
  if (!(handlers instanceof Map)) return false;
  const handler: unknown = handlers.get('tools/call');
  if (typeof handler !== 'function') return false;
  handlers.set('tools/call', watched(handler as Handler));
  return true;
}

function watched(handler: Handler): Handler {
  return (request, context) => {
    const run = runs.getStore();
    return run === undefined
      ? handler(request, context)
      : watchRun(run, () => handler(request, context));
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
