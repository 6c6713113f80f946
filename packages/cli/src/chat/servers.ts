import { didYouMean, type Health, type LongwireClient, type Tool } from '@longwire/client';
import { describeRoute } from '../connection-words.js';
import type { Context } from '../context.js';
import { sanitizeLine } from '../sanitize.js';
import { operationOptions } from '../session.js';
import { toolTable } from '../tool-table.js';
import { usageError } from '../command-error.js';
import { ConnectionNotes } from './connection-notes.js';

/** The servers of a conversation, and what a person at its prompt may ask of them. */
export class Servers {
  readonly #context: Context;
  readonly clients: readonly LongwireClient[];
  /** What is told of their connections. */
  readonly notes: ConnectionNotes;
  #toolNames: string[] = [];

  constructor(context: Context, clients: readonly LongwireClient[]) {
    this.#context = context;
    this.clients = clients;
    this.notes = new ConnectionNotes(context, clients);
  }

  /** The names of the tools, as far as they were listed. */
  get toolNames(): readonly string[] {
    return this.#toolNames;
  }

  /** Asks every server for its tools. */
  async listTools(signal?: AbortSignal): Promise<{ client: LongwireClient; tools: Tool[] }[]> {
    const options = { ...operationOptions(this.#context), ...(signal && { signal }) };
    const lists = await Promise.all(
      this.clients.map(async (client) => ({ client, tools: await client.listTools(options) })),
    );
    this.#toolNames = lists.flatMap(({ tools }) => tools.map(({ name }) => name));
    return lists;
  }

  /** Prints the tools, under the name of their server where there are several. */
  async printTools(signal: AbortSignal): Promise<void> {
    const { terminal } = this.#context;
    for (const { client, tools } of await this.listTools(signal)) {
      if (this.clients.length > 1) terminal.print(terminal.colors.bold(sanitizeLine(client.name)));
      terminal.print(tools.length === 0 ? 'no tools' : toolTable(tools, terminal));
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
   * Which server has a tool; `server/tool` says it where several have one of that name.
   *
   * @throws LongwireError with code `unknown-tool`, or that names the servers to choose from.
   */
  async find(word: string, signal: AbortSignal): Promise<{ client: LongwireClient; tool: string }> {
    const lists = await this.listTools(signal);
    // What begins with the name of a server is about that one: another's tool may be named so.
    const [named] = this.clients
      .map(({ name }) => `${name}/`)
      .filter((start) => word.startsWith(start))
      .sort((a, b) => b.length - a.length);
    const found = lists
      .filter(({ client }) => named === undefined || named === `${client.name}/`)
      .flatMap(({ client, tools }) =>
        tools
          .filter(({ name }) => name === word || `${client.name}/${name}` === word)
          .map(({ name }) => ({ client, tool: name })),
      );
    const [first, second] = found;
    if (first === undefined) {
      const hint = didYouMean(word, this.#toolNames) || ' /tools lists them.';
      throw usageError(`no server has a tool "${word}".${hint}`, { code: 'unknown-tool' });
    }
    if (second !== undefined) {
      const choices = found.map(({ client, tool }) => `${client.name}/${tool}`).join(' or ');
      throw usageError(`several servers have a tool "${word}": write ${choices}`);
    }
    return first;
  }
}
