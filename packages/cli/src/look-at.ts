import type { LongwireClient } from '@longwire/client';
import { allServers, chooseAll } from './choose-servers.js';
import type { Context } from './context.js';
import { exitCodeOf, type ExitCode } from './exit-codes.js';
import { printLong } from './pager.js';
import { errorAsJson, reportError } from './report-error.js';
import { sanitizeLine } from './sanitize.js';
import { closeClients, followClients, withClient } from './session.js';
import { createServerClient } from './target-client.js';
import type { AllServers, Server, Target } from './target.js';

/** What a command reads from a server. */
export interface Look<Found> {
  /** Asks a server that is connected; what it gives is what `--json` prints. */
  read(client: LongwireClient, target: Target): Promise<Found>;
  /** Prints it for people. */
  print(found: Found, client: LongwireClient): void;
}

/** The outcome for one of several servers. */
export type Outcome<Found> =
  | { name: string; client: LongwireClient; found: Found }
  | { name: string; error: unknown; requests?: Context['requests'] };

/** Reads from the server that the word means, or from every server, each under its name. */
export async function lookAt<Found>(
  context: Context,
  word: string | undefined,
  look: Look<Found>,
): Promise<ExitCode> {
  const { terminal, options } = context;
  if (word !== allServers) {
    return await withClient(context, word, async (client, target) => {
      const found = await look.read(client, target);
      if (options.json) terminal.json(found);
      else await printLong(context, () => look.print(found, client));
      return 0;
    });
  }
  const all = await chooseAll(context);
  tellSkipped(context, all);
  const read: Look<Found>['read'] = (client, target) => look.read(client, target);
  return await lookAtEach(context, all, read, async (outcomes) => {
    if (options.json) terminal.json(outcomes.map((outcome) => asJson(context, outcome)));
    else await printLong(context, () => print(context, outcomes, look));
    for (const outcome of outcomes) {
      if (!('error' in outcome)) continue;
      const { name, error, requests = context.requests } = outcome;
      const server = sanitizeLine(name);
      reportError(error, exitCodeOf(error), { terminal, requests, server });
    }
  });
}

function print<Found>(
  { terminal }: Context,
  outcomes: readonly Outcome<Found>[],
  look: Look<Found>,
): void {
  const found = outcomes.filter((outcome) => 'found' in outcome);
  for (const [index, outcome] of found.entries()) {
    if (index > 0) terminal.print();
    terminal.print(terminal.colors.bold(sanitizeLine(outcome.name)));
    look.print(outcome.found, outcome.client);
  }
}

/**
 * Connects to servers in parallel and reads from each; a failure of one does not affect the others.
 * `print` gets the outcomes in order, while the servers are still connected. The first failure decides
 * the exit code.
 */
export async function lookAtEach<Found>(
  context: Context,
  { servers, unusable }: Pick<AllServers, 'servers' | 'unusable'>,
  read: Look<Found>['read'],
  print: (outcomes: readonly Outcome<Found>[]) => void | Promise<void>,
): Promise<ExitCode> {
  const { terminal, interruptions } = context;
  const clients: LongwireClient[] = [];
  const ask = async (server: Server, name: string): Promise<Outcome<Found>> => {
    const requests: Context['requests'] = { credentials: 'none' };
    try {
      const client = await createServerClient({ ...context, requests }, server);
      clients.push(client);
      followClients(context, [client], { several: true });
      await client.connect({ signal: interruptions.signal });
      return { name, client, found: await read(client, server.target) };
    } catch (error) {
      return { name, error, requests };
    }
  };
  try {
    terminal.showLive(`connecting to ${servers.map(({ config }) => config.name).join(', ')}`);
    const asked = await Promise.all(servers.map((server) => ask(server, server.config.name)));
    terminal.stopLive();
    // After an interruption all failed for the same reason.
    interruptions.signal.throwIfAborted();
    const outcomes = [...asked, ...[...unusable].map(([name, error]) => ({ name, error }))];
    await print(outcomes);
    const failed = outcomes.find((outcome) => 'error' in outcome);
    return failed === undefined ? 0 : exitCodeOf(failed.error);
  } finally {
    terminal.stopLive();
    await closeClients(clients);
  }
}

/** Says which servers are left out, and how to include them. */
export function tellSkipped({ terminal }: Context, { skipped }: AllServers): void {
  for (const [name, why] of skipped) terminal.remark(sanitizeLine(`${name} is left out: ${why}`));
}

function asJson<Found>(context: Context, outcome: Outcome<Found>): object {
  const { name: server } = outcome;
  if ('error' in outcome) {
    const { error, requests = context.requests } = outcome;
    return { server, error: errorAsJson(error, { ...context, requests }) };
  }
  return { server, result: outcome.found };
}
