import {
  createClient,
  type ClientOptions,
  type HeadersOption,
  type LongwireClient,
  type Middleware,
  type RetryOptions,
  type ServerRequestHandlers,
  type WireObserver,
  type WireOutput,
} from '@longwire/client';
import type { MiddlewareRegistry, ServerConfig } from '@longwire/client/config';
import { isCredentialName, VERSION } from '@longwire/client/internal';
import type { Context } from './context.js';
import { requestHeaders } from './headers.js';
import { targetAuth, type TargetAuth } from './login/target-auth.js';
import { networkFor, networkOf, type NetworkOptions } from './network.js';
import { sanitizeLine } from './sanitize.js';
import type { ServerRequestOptions } from './server-requests/options.js';
import { nameOf, type Server, type Target } from './target.js';
import { showServerOutput } from './trace/server-output.js';
import { together, type TracedServer } from './trace/trace.js';

/**
 * How long connecting may take without `--timeout`: to a running server, and to a command, which `npx`
 * or `uvx` may have to fetch first.
 */
const defaultConnectMs = { url: 30_000, command: 60_000 } as const;

/** A command's own settings for a server. */
export interface ServerSettings {
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

/** The same, with what a configuration says. */
type TargetSettings = ServerSettings & { configured?: ClientOptions };

/** A client for a target, with the options of {@link targetOptions}. It does not dial. */
export function createTargetClient(
  context: Context,
  target: Target,
  given: TargetSettings = {},
): LongwireClient {
  const { traced, options } = targetOptions(context, target, given);
  const client = createClient(target, options);
  traced?.watch(client);
  return client;
}

/** How a target is reached. The headers and limits of the command line override those of a configuration. */
function targetOptions(
  context: Context,
  target: Target,
  given: TargetSettings,
): { traced: TracedServer | undefined; options: ClientOptions } {
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
  const all: ClientOptions = {
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
  };
  return { traced, options: all };
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
 * @throws LongwireError (code `config`) for a middleware that the configuration names and that is
 * not there.
 */
export async function createServerClient(
  context: Context,
  server: Server,
  given: ServerSettings = {},
): Promise<LongwireClient> {
  return createTargetClient(context, server.target, await settingsFor(context, server, given));
}

/**
 * How a server of the command line is reached by a connection that is not a client.
 *
 * @throws as {@link createServerClient}.
 */
export async function serverOptions(
  context: Context,
  server: Server,
  given: ServerSettings = {},
): Promise<ClientOptions> {
  const settings = await settingsFor(context, server, given);
  return targetOptions(context, server.target, settings).options;
}

async function settingsFor(
  context: Context,
  { target, config }: Server,
  given: ServerSettings,
): Promise<TargetSettings> {
  const { name = config?.name ?? nameOf(target), mayAsk } = given;
  const handlers = mayAsk && (await handlersFor(context, name, mayAsk));
  const options: ClientOptions = handlers === undefined ? {} : { handlers };
  if (config === undefined) return { ...given, configured: options };
  const { clientOptionsOf } = await import('@longwire/client/config');
  const configured = await clientOptionsOf(config, await middlewaresFor(context, config));
  return {
    ...given,
    network: networkOf(context, { config }),
    configured: { ...configured, ...options },
  };
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
export function headersFor(
  url: string,
  context: Context,
  configured?: HeadersOption,
): ReturnType<typeof requestHeaders> {
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

function serverOrigin({ environment }: Context): string | undefined {
  const { serverUrl } = environment;
  return serverUrl !== undefined && URL.canParse(serverUrl) ? new URL(serverUrl).origin : undefined;
}
