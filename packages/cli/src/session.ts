import { setTimeout as delay } from 'node:timers/promises';
import type { LongwireClient, OperationOptions } from '@longwire/client';
import { config as configureZod } from 'zod/v4/core';
import { chooseServer } from './choose-servers.js';
import { usageError } from './command-error.js';
import { createStateWords } from './connection-words.js';
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { sanitizeLine } from './sanitize.js';
import { createServerClient, type ServerSettings } from './target-client.js';
import type { Target } from './target.js';
import { withoutLastWords } from './trace/last-words.js';

// Compiling a schema takes longer than the few values that a command checks with it.
configureZod({ jitless: true });

/** How long connected servers wait for another one that may come later. */
const maxLateMs = 5000;

/** How long closing may take: the cancellation of a call has to be sent. */
const maxClosingMs = 1500;

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
