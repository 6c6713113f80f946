import { setTimeout as delay } from 'node:timers/promises';
import {
  createClient,
  LongwireError,
  type ClientOptions,
  type LongwireClient,
  type OperationOptions,
} from '@longwire/client';
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { requestHeaders } from './headers.js';
import { describeState } from './connection-state.js';
import { showSpinner } from './progress-display.js';
import { sanitizeLine } from './sanitize.js';
import { isTarget, parseTarget } from './target.js';
import { usageError } from './usage-error.js';
import { version } from './version.js';

/** The library's own limit on connecting, which `--timeout` and `--deadline` may only shorten. */
const maxConnectMs = 10_000;

/** How long a good ending may take: the cancellation of a call has to go out. */
const maxClosingMs = 1500;

/**
 * The server that a command is about: the word it was given, else `MCP_SERVER_URL`.
 *
 * @throws LongwireError (usage) where there is neither.
 */
export function targetOf(word: string | undefined, { environment }: Context): string {
  if (word !== undefined) return checked(word, 'target');
  if (environment.serverUrl !== undefined) return checked(environment.serverUrl, 'MCP_SERVER_URL');
  const message = 'no server given: write its URL after the command, or set MCP_SERVER_URL';
  throw usageError(message, { code: 'config' });
}

/** Splits a target off the words of a command, if the first is one. */
export function splitTarget(words: readonly string[]): [target: string | undefined, string[]] {
  const [first, ...rest] = words;
  return first !== undefined && isTarget(first) ? [first, rest] : [undefined, [...words]];
}

/** A client for a target, with the headers and the limits of the command line; it does not dial. */
export function createTargetClient(
  context: Context,
  target: string,
  extra: Pick<ClientOptions, 'name'> = {},
): LongwireClient {
  const { environment, options, redactor, terminal } = context;
  const { timeoutMs = maxConnectMs, deadlineMs = maxConnectMs } = options;
  redactor.addUrl(new URL(target));
  const headers = requestHeaders({
    headers: options.headers,
    apiKey: environment.apiKey,
    serverOrigin: serverOrigin(context),
    onRequest: ({ method, url }) => {
      // The query of an endpoint is where the session's id is.
      redactor.addUrl(url);
      terminal.detail(`  ${method} ${url.href}`);
    },
  });
  try {
    return createClient(target, {
      ...extra,
      headers,
      clientInfo: { name: 'longwire', version },
      timeouts: { connectMs: Math.min(maxConnectMs, timeoutMs, deadlineMs) },
      ...(options.transport !== undefined && { transport: options.transport }),
    });
  } catch (error) {
    // The library's word for a wrong option, which came from the command line.
    if (error instanceof TypeError)
      throw usageError(error.message, { code: 'config', cause: error });
    throw error;
  }
}

/** Connects, with a spinner meanwhile. */
export async function connectClient(context: Context, client: LongwireClient): Promise<void> {
  const { terminal, interruptions } = context;
  client.on('state', (state) => {
    terminal.detail(describeState(state));
  });
  client.on('error', (error) => terminal.detail(`  ${sanitizeLine(error.message)}`));
  const spinner = showSpinner(terminal, `connecting to ${client.name}`);
  try {
    await client.connect({ signal: interruptions.signal });
  } finally {
    spinner.stop();
  }
}

/** Connects to a target, does something with it, and leaves nothing open, whatever happens. */
export async function withClient(
  context: Context,
  word: string | undefined,
  action: (client: LongwireClient, target: string) => Promise<ExitCode>,
): Promise<ExitCode> {
  warnOfEnvironment(context, 'MCP_SERVER_URL');
  const target = targetOf(word, context);
  const client = createTargetClient(context, target);
  try {
    await connectClient(context, client);
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

/** The limits and the signal of every operation of this command. */
export function operationOptions(context: Context): OperationOptions {
  const { timeoutMs, deadlineMs } = context.options;
  return {
    signal: context.interruptions.signal,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  };
}

/** Says what of the environment was ignored, where it is about what this command uses. */
export function warnOfEnvironment(
  { environment, terminal }: Context,
  about: 'MCP_SERVER_URL' | 'ANTHROPIC_BASE_URL',
): void {
  for (const warning of environment.warnings) {
    if (warning.about !== about && warning.about !== '.env') continue;
    terminal.remark(terminal.remarkColors.yellow(`warning: ${warning.message}`));
  }
}

/** Whether an error only says that the server does not know the method. */
export function isMethodNotFound(error: unknown): boolean {
  return error instanceof LongwireError && 'number' in error && error.number === -32601;
}

function checked(word: string, source: string): string {
  parseTarget(word, source);
  return word;
}

function serverOrigin({ environment }: Context): string | undefined {
  const { serverUrl } = environment;
  return serverUrl !== undefined && URL.canParse(serverUrl) ? new URL(serverUrl).origin : undefined;
}
