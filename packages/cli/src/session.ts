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
  type WireOutput,
  type ServerRequestHandlers,
} from '@longwire/client';
import { isCredentialName, VERSION } from '@longwire/client/internal';
import { config as configureZod } from 'zod/v4/core';
import type { MiddlewareRegistry, ServerConfig } from '@longwire/client/config';
import { chooseServer } from './choose-servers.js';
import { usageError } from './command-error.js';
import { createStateWords } from './connection-words.js';
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { requestHeaders } from './headers.js';
import { targetAuth, type TargetAuth } from './login/target-auth.js';
import { networkFor, networkOf, type NetworkOptions } from './network.js';
import { sanitizeLine } from './sanitize.js';
import type { ServerRequestOptions } from './server-requests/options.js';
import { nameOf, type Server, type Target } from './target.js';
import { withoutLastWords } from './trace/last-words.js';
import { showServerOutput } from './trace/server-output.js';
import { together } from './trace/trace.js';

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
  /** How it is reached. Default: as the command line says. */
  network?: NetworkOptions;
  retry?: RetryOptions;
  /** Its hints are believed, whatever a configuration says. */
  trusted?: boolean;
  /** They come before those of a configuration. */
  middleware?: readonly Middleware[];
  /** Sees what passes between the client and the server. */
  observe?: WireObserver;
  /** Given what answers for authentication; what it returns is used instead. */
  wrapAuth?: (auth: Required<TargetAuth>) => TargetAuth;
  /** Shows what the process of the server writes beside messages. Default: as a detail. */
  onOutput?: (line: string, output: WireOutput) => void;
  /** What the server may ask, and how it is answered. Default: nothing. */
  mayAsk?: ServerRequestOptions | undefined;
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
  const { configured = {}, retry, trusted = false, wrapAuth = same } = given;
  const { name = configured.name ?? nameOf(target) } = given;
  const { options } = context;
  const traced = context.trace?.server(name);
  const middleware = [...(traced ? [traced.middleware] : []), ...(given.middleware ?? [])];
  const observe = together([
    given.observe,
    traced?.observe,
    typeof target === 'string'
      ? undefined
      : outputOf(context, given.name ?? configured.name ?? 'server', given),
  ]);
  const kind = typeof target === 'string' ? 'url' : 'command';
  const connectMs = configured.timeouts?.connectMs ?? defaultConnectMs[kind];
  const { timeoutMs = connectMs, deadlineMs = timeoutMs } = options;
  const { proxy: _proxy, tls: _tls, ...others } = configured;
  const network = typeof target === 'string' ? (given.network ?? networkFor(context)) : {};
  const client = createClient(target, {
    ...others,
    ...network,
    name,
    ...(typeof target === 'string' && {
      headers: headersFor(target, context, configured.headers),
      ...(!hasOwnCredentials(target, context, configured.headers) && {
        auth: wrapAuth(targetAuth(context, target, network)),
      }),
    }),
    clientInfo: { name: 'longwire', version: VERSION },
    timeouts: { ...configured.timeouts, connectMs: Math.min(timeoutMs, deadlineMs) },
    ...(trusted && { trusted }),
    ...(observe && { observe }),
    ...(middleware.length > 0 && { middleware: [...middleware, ...(configured.middleware ?? [])] }),
    ...(retry !== undefined && { retry: { ...configured.retry, ...retry } }),
    ...(options.transport !== undefined && { transport: options.transport }),
    ...(options.protocol !== undefined && { protocol: options.protocol }),
  });
  traced?.watch(client);
  return client;
}

/** Shows what the process of a server writes beside messages. */
function outputOf(
  { terminal, redactor }: Context,
  name: string,
  { onOutput = (line) => terminal.detail(line) }: ServerSettings,
): WireObserver {
  return showServerOutput({
    name: sanitizeLine(name),
    redact: (text) => redactor.message(text),
    show: onOutput,
    remark: (line) => terminal.remark(line),
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
  const { name = config?.name ?? nameOf(target), mayAsk } = given;
  const handlers = mayAsk && (await handlersFor(context, name, mayAsk));
  const options: ClientOptions = handlers === undefined ? {} : { handlers };
  if (config === undefined) {
    return createTargetClient(context, target, { ...given, configured: options });
  }
  const { clientOptionsOf } = await import('@longwire/client/config');
  const configured = await clientOptionsOf(config, await middlewaresFor(context, config));
  return createTargetClient(context, target, {
    ...given,
    network: networkOf(context, { config }),
    configured: { ...configured, ...options },
  });
}

/** How a server is answered that asks; loaded where it may. */
async function handlersFor(
  context: Context,
  name: string,
  options: ServerRequestOptions,
): Promise<ServerRequestHandlers> {
  const { serverRequestHandlers } = await import('./server-requests/handlers.js');
  return serverRequestHandlers(context, name, options);
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
      // A trace that is shown has it with its answer.
      if (context.trace?.isShown !== true) terminal.detail(`  ${method} ${url.href}`);
    },
  });
}

/** Whether credentials are sent that go before a login. */
export function hasOwnCredentials(
  url: string,
  context: Context,
  configured: HeadersOption | undefined,
): boolean {
  const { environment, options } = context;
  const names = Object.keys({
    ...(typeof configured === 'object' && configured),
    ...options.headers,
  });
  const sendsKey =
    environment.apiKey !== undefined && new URL(url).origin === serverOrigin(context);
  return sendsKey || names.some(isCredentialName);
}

function same(auth: TargetAuth): TargetAuth {
  return auth;
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
    // Where details are shown, so is each line that a server's process writes.
    let told = '';
    client.on('state', (state) => {
      const reason = 'reason' in state ? state.reason.summary : '';
      // The last one is what the command fails with, and what it says then.
      const isTold = state.name === 'resting' && (told === '' || told === reason);
      told = reason;
      const said = isTold ? state.name : withoutLastWords(words(state));
      terminal.detail(`${whose}${said}`);
    });
    client.on('error', ({ summary }) => {
      if (!isStrayLine(client, summary)) terminal.detail(`  ${whose}${sanitizeLine(summary)}`);
    });
  }
}

/** Whether an error is about a line of a process, which is shown by itself. */
function isStrayLine({ state }: LongwireClient, summary: string): boolean {
  const isProcess = !('transport' in state) || state.transport === 'stdio';
  return (
    isProcess && summary.startsWith('the server sent something that is not a JSON-RPC message')
  );
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
  given: ServerSettings = {},
): Promise<ExitCode> {
  const { connected } = context;
  if (connected !== undefined) {
    if (word === undefined) return await action(connected.client, connected.target);
    throw usageError(`"${word}" is no server of this session`);
  }
  const server = await chooseServer(word, context);
  const client = await createServerClient(context, server, given);
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
