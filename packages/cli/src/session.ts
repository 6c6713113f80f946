import { setTimeout as delay } from 'node:timers/promises';
import {
  createClient,
  VERSION,
  type HeadersOption,
  type LongwireClient,
  type OperationOptions,
  type RetryOptions,
} from '@longwire/client';
import { usageError } from './command-error.js';
import { createStateWords } from './connection-words.js';
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { requestHeaders } from './headers.js';
import { sanitizeLine } from './sanitize.js';
import { checkTargetOptions } from './target-options.js';
import { isTarget, nameOf, parseTarget, type Target } from './target.js';

/**
 * How long connecting may take where `--timeout` does not say: to a server that runs, and to one
 * that has to be started, which `npx` or `uvx` may have to fetch before.
 */
const defaultConnectMs = { url: 10_000, command: 60_000 } as const;

/** How long a good ending may take: the cancellation of a call has to go out. */
const maxClosingMs = 1500;

/**
 * The server that a command is about: the word it was given, or the command after `--`, else
 * `MCP_SERVER_URL`.
 *
 * @throws LongwireError (usage) where there is none of them, or both of the first, or the options
 * do not fit it.
 */
export function targetOf(word: string | undefined, context: Context): Target {
  const { command, options } = context;
  if (word !== undefined && command !== undefined) {
    parseTarget(word);
    throw usageError('a URL and a command after -- are two servers: leave one of them out');
  }
  const target = command ?? urlOf(word, context);
  checkTargetOptions([target], options);
  return target;
}

/**
 * The URL that a command was given, else `MCP_SERVER_URL`.
 *
 * @throws LongwireError (usage) where there is neither, or it is no URL.
 */
export function urlOf(word: string | undefined, context: Context): string {
  const { serverUrl } = context.environment;
  if (word === undefined) warnOfEnvironment(context, 'MCP_SERVER_URL');
  const target = word ?? serverUrl;
  if (target === undefined) {
    const message =
      'no server given: write its URL, or -- and the command that starts it, or set MCP_SERVER_URL';
    throw usageError(message, { code: 'config' });
  }
  parseTarget(target, word === undefined ? 'MCP_SERVER_URL' : 'target');
  return target;
}

/** Splits a target off the words of a command, if the first is one. */
export function splitTarget(words: readonly string[]): [target: string | undefined, string[]] {
  const [first, ...rest] = words;
  return first !== undefined && isTarget(first) ? [first, rest] : [undefined, [...words]];
}

/** A client for a target, with the headers and the limits of the command line; it does not dial. */
export function createTargetClient(
  context: Context,
  target: Target,
  given: { name?: string | undefined; retry?: RetryOptions } = {},
): LongwireClient {
  const { name = nameOf(target), retry } = given;
  const { options } = context;
  const kind = typeof target === 'string' ? 'url' : 'command';
  const { timeoutMs = defaultConnectMs[kind], deadlineMs = timeoutMs } = options;
  return createClient(target, {
    name,
    ...(typeof target === 'string' && { headers: headersFor(target, context) }),
    clientInfo: { name: 'longwire', version: VERSION },
    timeouts: { connectMs: Math.min(timeoutMs, deadlineMs) },
    ...(retry !== undefined && { retry }),
    ...(options.transport !== undefined && { transport: options.transport }),
  });
}

/** What is sent to a URL, and told of what is sent there. */
function headersFor(url: string, context: Context): HeadersOption {
  const { environment, options, redactor, terminal, requests } = context;
  redactor.addUrl(new URL(url));
  return requestHeaders({
    headers: options.headers,
    apiKey: environment.apiKey,
    serverOrigin: serverOrigin(context),
    onRequest: ({ method, url, sessionId }, credentials) => {
      requests.credentials = credentials;
      // The query of an endpoint is where the session's id is.
      redactor.addEndpoint(url);
      if (sessionId !== undefined) redactor.addSession(sessionId);
      terminal.detail(`  ${method} ${url.href}`);
    },
  });
}

/** Connects all of them, and says so meanwhile; fails when one does. */
export async function connectClients(
  context: Context,
  clients: readonly LongwireClient[],
): Promise<void> {
  const { terminal, interruptions } = context;
  for (const client of clients) {
    const words = createStateWords(client);
    const whose = clients.length > 1 ? `${client.name}: ` : '';
    client.on('state', (state) => terminal.detail(`${whose}${words(state)}`));
    client.on('error', (error) => terminal.detail(`  ${whose}${sanitizeLine(error.summary)}`));
  }
  terminal.showLive(`connecting to ${clients.map(({ name }) => name).join(', ')}`);
  try {
    const { signal } = interruptions;
    const results = await Promise.allSettled(clients.map((client) => client.connect({ signal })));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  } finally {
    terminal.stopLive();
  }
}

/** Connects to a target, does something with it, and leaves nothing open, whatever happens. */
export async function withClient(
  context: Context,
  word: string | undefined,
  action: (client: LongwireClient, target: Target) => Promise<ExitCode>,
): Promise<ExitCode> {
  const target = targetOf(word, context);
  const client = createTargetClient(context, target);
  try {
    await connectClients(context, [client]);
    return await action(client, target);
  } finally {
    await closeClients([client]);
  }
}

/** Closes clients, for as long as a good ending may take. */
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

/** Says what of the environment was ignored, where it is about what this command would have used. */
export function warnOfEnvironment(
  { environment, terminal }: Context,
  about: 'MCP_SERVER_URL' | 'ANTHROPIC_BASE_URL',
): void {
  for (const warning of environment.warnings) {
    if (warning.about !== about && warning.about !== '.env') continue;
    terminal.remark(terminal.remarkColors.yellow(`warning: ${warning.message}`));
  }
}

function serverOrigin({ environment }: Context): string | undefined {
  const { serverUrl } = environment;
  return serverUrl !== undefined && URL.canParse(serverUrl) ? new URL(serverUrl).origin : undefined;
}
