import { setTimeout as delay } from 'node:timers/promises';
import {
  createClient,
  type ClientOptions,
  type HeadersOption,
  type LongwireClient,
  type Middleware,
  type OperationOptions,
  type RetryOptions,
  type WireObserver,
} from '@longwire/client';
import { VERSION } from '@longwire/client/internal';
import { config as configureZod } from 'zod/v4/core';
import type { MiddlewareRegistry, ServerConfig } from '@longwire/client/config';
import { chooseServer } from './choose-servers.js';
import { createStateWords } from './connection-words.js';
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { requestHeaders } from './headers.js';
import { sanitizeLine } from './sanitize.js';
import { nameOf, type Server, type Target } from './target.js';

// Compiling a schema takes longer than the few values that a command checks with it.
configureZod({ jitless: true });

/**
 * How long connecting may take without `--timeout`: to a running server, and to a command, which `npx`
 * or `uvx` may have to fetch first.
 */
const defaultConnectMs = { url: 30_000, command: 60_000 } as const;

/** How long connected servers wait for another one that may come later. */
const maxLateMs = 5000;

/** How long closing may take: the cancellation of a call has to be sent. */
const maxClosingMs = 1500;

/** A command's own settings for a server. */
interface ServerSettings {
  name?: string | undefined;
  retry?: RetryOptions;
  /** Its hints are believed, whatever a configuration says. */
  trusted?: boolean;
  /** They come before those of a configuration. */
  middleware?: readonly Middleware[];
  /** Sees what passes between the client and the server. */
  observe?: WireObserver;
}

/**
 * A client for a target. The headers and limits of the command line override those of a configuration.
 * It does not dial.
 *
 * @throws LongwireError (code `config`) for a middleware that the configuration names and that is
 * not there.
 */
export function createTargetClient(
  context: Context,
  target: Target,
  given: ServerSettings & { configured?: ClientOptions } = {},
): LongwireClient {
  const { configured = {}, retry, trusted = false, middleware = [], observe } = given;
  const { name = configured.name ?? nameOf(target) } = given;
  const { options } = context;
  const kind = typeof target === 'string' ? 'url' : 'command';
  const connectMs = configured.timeouts?.connectMs ?? defaultConnectMs[kind];
  const { timeoutMs = connectMs, deadlineMs = timeoutMs } = options;
  return createClient(target, {
    ...configured,
    name,
    ...(typeof target === 'string' && { headers: headersFor(target, context, configured.headers) }),
    clientInfo: { name: 'longwire', version: VERSION },
    timeouts: { ...configured.timeouts, connectMs: Math.min(timeoutMs, deadlineMs) },
    ...(trusted && { trusted }),
    ...(middleware.length > 0 && { middleware: [...middleware, ...(configured.middleware ?? [])] }),
    ...(observe !== undefined && { observe }),
    ...(retry !== undefined && { retry: { ...configured.retry, ...retry } }),
    ...(options.transport !== undefined && { transport: options.transport }),
    ...(options.protocol !== undefined && { protocol: options.protocol }),
  });
}

/**
 * A client for a server of the command line, by its name where a configuration gives it one.
 *
 * @throws as {@link createTargetClient}.
 */
export async function createServerClient(
  context: Context,
  { target, config }: Server,
  given: ServerSettings = {},
): Promise<LongwireClient> {
  if (config === undefined) return createTargetClient(context, target, given);
  const { clientOptionsOf } = await import('@longwire/client/config');
  const configured = await clientOptionsOf(config, await middlewaresFor(context, config));
  return createTargetClient(context, target, { ...given, configured });
}

/** The middlewares that a configuration may name; loaded only if it names some. */
async function middlewaresFor(
  { terminal }: Context,
  { middleware }: ServerConfig,
): Promise<MiddlewareRegistry> {
  if (middleware.length === 0) return {};
  const { builtIns } = await import('@longwire/client/middleware');
  const log = (fields: object, message: string): void =>
    terminal.detail(sanitizeLine(`  ${message} ${JSON.stringify(fields)}`));
  return builtIns({ logger: { debug: () => {}, info: log, warn: log, error: log } });
}

/** The headers for a URL; also tells the redactor its secrets. */
function headersFor(
  url: string,
  context: Context,
  configured: HeadersOption | undefined,
): HeadersOption {
  const { environment, options, redactor, terminal, requests } = context;
  redactor.addUrl(new URL(url));
  return requestHeaders({
    headers: options.headers,
    ...(typeof configured === 'object' && { configured }),
    apiKey: environment.apiKey,
    serverOrigin: serverOrigin(context),
    onRequest: ({ method, url, sessionId }, credentials) => {
      requests.credentials = credentials;
      requests.hasSession = sessionId !== undefined;
      // The query of an endpoint holds the session's id.
      redactor.addEndpoint(url);
      if (sessionId !== undefined) redactor.addSession(sessionId);
      terminal.detail(`  ${method} ${url.href}`);
    },
  });
}

/** Prints the changes of connections as details. */
export function followClients(
  { terminal }: Context,
  clients: readonly LongwireClient[],
  { several = clients.length > 1 }: { several?: boolean } = {},
): void {
  for (const client of clients) {
    const words = createStateWords(client);
    const whose = several ? `${client.name}: ` : '';
    client.on('state', (state) => terminal.detail(`${whose}${words(state)}`));
    client.on('error', (error) => terminal.detail(`  ${whose}${sanitizeLine(error.summary)}`));
  }
}

/** Continues with the servers that are connected. */
interface ConnectHandlers {
  /** Called for a server that could not be connected. */
  onFailure: (client: LongwireClient, reason: unknown) => void;
  /** Called for a server that is late and still connects. Default: all are awaited. */
  onLate?: (client: LongwireClient) => void;
}

/**
 * Connects all clients. Fails if one fails; with `handlers`, only if all fail.
 */
export async function connectClients(
  context: Context,
  clients: readonly LongwireClient[],
  handlers?: ConnectHandlers,
): Promise<void> {
  const { terminal, interruptions } = context;
  followClients(context, clients);
  terminal.showLive(`connecting to ${clients.map(({ name }) => name).join(', ')}`);
  try {
    const { signal } = interruptions;
    const attempts = clients.map((client) => client.connect({ signal }));
    const settled = Promise.allSettled(attempts);
    const results: readonly (PromiseSettledResult<void> | undefined)[] =
      handlers?.onLate === undefined ? await settled : await settledSoon(attempts);
    const isHopeless = results.every((result) => result?.status === 'rejected');
    for (const [index, client] of clients.entries()) {
      const result = results[index];
      if (result === undefined) handlers?.onLate?.(client);
      if (result?.status !== 'rejected') continue;
      if (handlers === undefined || isHopeless || signal.aborted) throw result.reason;
      handlers.onFailure(client, result.reason);
    }
  } finally {
    terminal.stopLive();
  }
}

/** The results, until a limited time after the first success; `undefined` for pending ones. */
async function settledSoon(
  attempts: readonly Promise<void>[],
): Promise<(PromiseSettledResult<void> | undefined)[]> {
  const ended = new AbortController();
  const soon = Promise.any(attempts)
    .then(() => delay(maxLateMs, undefined, { signal: ended.signal }))
    .catch(() => Promise.allSettled(attempts));
  const results = attempts.map((attempt) =>
    Promise.race([
      Promise.allSettled([attempt]).then(([result]) => result),
      soon.then(() => undefined),
    ]),
  );
  try {
    return await Promise.all(results);
  } finally {
    ended.abort();
  }
}

/** Connects to a target, runs an action, and always closes the client. */
export async function withClient(
  context: Context,
  word: string | undefined,
  action: (client: LongwireClient, target: Target) => Promise<ExitCode>,
): Promise<ExitCode> {
  const server = await chooseServer(word, context);
  const client = await createServerClient(context, server);
  try {
    await connectClients(context, [client]);
    return await action(client, server.target);
  } finally {
    await closeClients([client]);
  }
}

/** Closes clients within a time limit. */
export async function closeClients(clients: readonly LongwireClient[]): Promise<void> {
  const ending = new AbortController();
  const closed = Promise.allSettled(clients.map((client) => client.close()));
  await Promise.race([
    closed,
    delay(maxClosingMs, undefined, { signal: ending.signal }).catch(() => undefined),
  ]);
  ending.abort();
}

/** The limits of every call of this command. */
export function callLimits({ options }: Context): Omit<OperationOptions, 'signal'> {
  const { timeoutMs, deadlineMs } = options;
  return {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  };
}

/** The limits and the signal of every operation of this command. */
export function operationOptions(context: Context): OperationOptions {
  return { ...callLimits(context), signal: context.interruptions.signal };
}

function serverOrigin({ environment }: Context): string | undefined {
  const { serverUrl } = environment;
  return serverUrl !== undefined && URL.canParse(serverUrl) ? new URL(serverUrl).origin : undefined;
}
