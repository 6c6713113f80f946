import { setTimeout as delay } from 'node:timers/promises';
import type { Health, LongwireClient, Tool } from '@longwire/client';
import { didYouMean, nameList } from '@longwire/client/internal';
import { describeRoute } from '../connection-words.js';
import type { Context } from '../context.js';
import { sanitizeLine } from '../sanitize.js';
import { operationOptions } from '../session.js';
import { toolTable } from '../tool-table.js';
import { CommandError, usageError } from '../command-error.js';
import { ConnectionNotes } from './connection-notes.js';

/** How long servers that have answered wait for one that has not. */
const maxWaitMs = 3000;

/** The tools of one server. */
export interface ServerTools {
  client: LongwireClient;
  tools: readonly Tool[];
  /** It could not be asked now: these are its previous tools. */
  isMissing: boolean;
}

/** The servers of a conversation, and what the prompt asks of them. */
export class Servers {
  readonly #context: Context;
  readonly #listing: string;
  readonly clients: readonly LongwireClient[];
  /** The notes on their connections. */
  readonly notes: ConnectionNotes;
  /** The last list of each server. */
  readonly #lists = new Map<LongwireClient, readonly Tool[]>();

  /** `listing` is the word that lists the tools. */
  constructor(
    context: Context,
    clients: readonly LongwireClient[],
    { listing = '/tools' }: { listing?: string } = {},
  ) {
    this.#context = context;
    this.#listing = listing;
    this.clients = clients;
    this.notes = new ConnectionNotes(context, clients);
  }

  /** The names of the listed tools. */
  get toolNames(): readonly string[] {
    return [...this.#lists.values()].flatMap((tools) => tools.map(({ name }) => name));
  }

  /** The tools of a server, or of all, as they were listed last; asked for where they were not yet. */
  async knownTools(
    client: LongwireClient | undefined,
    signal: AbortSignal,
  ): Promise<readonly Tool[]> {
    const clients = client === undefined ? this.clients : [client];
    const known = clients.flatMap((each) => this.#lists.get(each) ?? []);
    if (known.length > 0) return known;
    return (await this.listTools(signal, clients)).flatMap(({ tools }) => tools);
  }

  /**
   * Asks every server for its tools. If one fails or is late, that is reported once, and its previous
   * list is used.
   *
   * @throws the error of the first server, if all fail.
   */
  async listTools(
    signal?: AbortSignal,
    clients: readonly LongwireClient[] = this.clients,
  ): Promise<ServerTools[]> {
    const options = { ...operationOptions(this.#context), ...(signal && { signal }) };
    const reads = clients.map(async (client) => {
      const tools = await client.listTools(options);
      this.#lists.set(client, tools);
      this.notes.present(client.name);
      return tools;
    });
    const done = new AbortController();
    // The wait starts when the first one has answered: a single server has all its time.
    const late = Promise.any(reads).then(() => this.#tooLate(done.signal));
    try {
      const settled = await Promise.allSettled(reads.map((read) => Promise.race([read, late])));
      const [failure] = settled.flatMap((each) => (each.status === 'rejected' ? [each] : []));
      const isHopeless = settled.every(({ status }) => status === 'rejected');
      if (failure !== undefined && (isHopeless || options.signal?.aborted === true))
        throw failure.reason;
      return clients.map((client, index) => {
        const each = settled[index];
        if (each?.status !== 'rejected')
          return { client, tools: each?.value ?? [], isMissing: false };
        this.notes.missing(client.name, each.reason);
        return { client, tools: this.#lists.get(client) ?? [], isMissing: true };
      });
    } finally {
      done.abort();
      late.catch(() => undefined);
    }
  }

  /** Prints the tools, under the name of their server where there are several. */
  async printTools(signal: AbortSignal): Promise<void> {
    const { terminal } = this.#context;
    for (const { client, tools, isMissing } of await this.listTools(signal)) {
      if (this.clients.length > 1) terminal.print(terminal.colors.bold(sanitizeLine(client.name)));
      if (isMissing) terminal.print('not available');
      else terminal.print(tools.length === 0 ? 'no tools' : toolTable(tools, terminal));
    }
  }

  /** Prints the servers, how they are reached, and how they are. */
  async printServers(signal: AbortSignal): Promise<void> {
    const { terminal, redactor } = this.#context;
    const healths = await Promise.all(this.clients.map((client) => client.health({ signal })));
    for (const [index, { name, state, server, protocolVersion }] of this.clients.entries()) {
      const { status, reason, latencyMs } = healths[index] as Health;
      const how = latencyMs === undefined ? status : `${status} (${Math.ceil(latencyMs)} ms)`;
      const told = [server?.title ?? server?.name, server?.version]
        .filter(Boolean)
        .join(' ')
        .slice(0, 200);
      const where =
        state.name === 'ready'
          ? `${redactor.message(describeRoute(state))}, protocol ${protocolVersion ?? 'not told'}`
          : state.name;
      terminal.print(sanitizeLine(`${name}: ${told || 'no name told'}, ${where}, ${how}`));
      if (reason !== undefined) terminal.print(redactor.message(sanitizeLine(`  ${reason}`)));
    }
  }

  /**
   * Which server has a tool; `server/tool` is needed if several have one of that name.
   *
   * @throws LongwireError with code `unknown-tool`, or that names the servers to choose from.
   */
  async find(word: string, signal: AbortSignal): Promise<{ client: LongwireClient; tool: string }> {
    // A word that begins with the name of a server means that server: another's tool may have that name.
    const [named] = this.clients
      .filter(({ name }) => word.startsWith(`${name}/`))
      .sort((a, b) => b.name.length - a.name.length);
    const lists = await this.listTools(signal, named === undefined ? this.clients : [named]);
    const found = lists.flatMap(({ client, tools }) =>
      tools
        .filter(({ name }) => name === word || `${client.name}/${name}` === word)
        .map(({ name }) => ({ client, tool: name })),
    );
    const [first, second] = found;
    if (first === undefined) {
      const hint = didYouMean(word, this.toolNames) || ` ${this.#listing} lists them.`;
      const missing = lists.filter(({ isMissing }) => isMissing).map(({ client }) => client.name);
      const but = missing.length === 0 ? '' : ` (${nameList(missing)} could not be asked)`;
      throw usageError(`no server has a tool "${word}"${but}.${hint}`, { code: 'unknown-tool' });
    }
    if (second !== undefined) {
      const choices = found.map(({ client, tool }) => `${client.name}/${tool}`).join(' or ');
      throw usageError(`several servers have a tool "${word}": write ${choices}`);
    }
    return first;
  }

  /** Rejects when the others have waited long enough. */
  async #tooLate(done: AbortSignal): Promise<never> {
    await delay(maxWaitMs, undefined, { signal: done });
    const message = `its list of tools did not come within ${maxWaitMs / 1000} s of the others'`;
    throw new CommandError(message, { code: 'timeout', certainty: 'outcome-unknown' });
  }
}
