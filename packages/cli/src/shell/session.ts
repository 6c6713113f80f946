import { allServers } from '../choose-servers.js';
import type { Servers } from '../chat/servers.js';
import { usageError } from '../command-error.js';
import type { ConnectedServer, Context } from '../context.js';
import type { Step } from '../editor/prompt-loop.js';
import { exitCodeOf, type ExitCode } from '../exit-codes.js';
import { orAborted } from '../or-aborted.js';
import { reportError } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { renderTable } from '../table.js';
import type { News } from './news.js';
import { runCommand } from './run-command.js';
import type { SessionTrace } from './session-trace.js';
import { COMMANDS, OWN_COMMANDS, readLine, type WrittenLine } from './written-line.js';

/** What lines work on. */
export interface SessionParts {
  readonly connected: readonly ConnectedServer[];
  readonly servers: Servers;
  /** Fulfilled when the tools of the servers were listed for the first time, or could not be. */
  readonly listed: Promise<unknown>;
  readonly news: News;
  readonly trace: SessionTrace;
}

/** Commands that are about all of a server, and so about all servers where none is named. */
const ABOUT_ALL: ReadonlySet<string> = new Set(['tools', 'resources', 'prompts', 'inspect']);

/** Runs the lines of a session, each on the server that it is about. */
export class Session {
  readonly #context: Context;
  readonly #parts: SessionParts;

  constructor(context: Context, parts: SessionParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /**
   * Runs one line.
   *
   * @throws what its command throws; LongwireError (usage) for what is none, or where several servers
   * could be meant.
   */
  async run(text: string, signal: AbortSignal): Promise<Step> {
    const line = await this.#read(text, signal);
    if (line === undefined) return 0;
    return line.kind === 'own' ? this.#runOwn(line, signal) : this.#runCommand(line, signal);
  }

  async #read(text: string, signal: AbortSignal): Promise<WrittenLine | undefined> {
    const { connected, servers, listed } = this.#parts;
    const names = [...connected.map(({ client }) => client.name), allServers];
    const read = (): WrittenLine | undefined =>
      readLine(text, { servers: names, tools: servers.toolNames });
    try {
      return read();
    } catch {
      // What is no command may be a tool.
      await orAborted(listed, signal);
      return read();
    }
  }

  async #runOwn(
    { command, words }: WrittenLine & { kind: 'own' },
    signal: AbortSignal,
  ): Promise<Step> {
    const { servers, news } = this.#parts;
    switch (command) {
      case 'quit':
        return 'quit';
      case 'help':
        return await this.#help(words, signal);
      case 'servers':
        await servers.printServers(signal);
        return 0;
      case 'watch': {
        const [name, ...rest] = words;
        const named = this.#named(name);
        await news.watch(named === undefined ? words : rest, this.#oneFor(named).client, signal);
        return 0;
      }
      case 'unwatch':
        await news.unwatch(words, signal);
        return 0;
      case 'trace':
        this.#trace(words);
        return 0;
      case 'edit':
        throw usageError('edit opens an editor at a terminal only');
    }
  }

  async #runCommand(
    { command, server, words }: WrittenLine & { kind: 'command' },
    signal: AbortSignal,
  ): Promise<ExitCode> {
    const { connected } = this.#parts;
    const isAboutAll = ABOUT_ALL.has(command) && words.every((word) => word.startsWith('-'));
    if (connected.length > 1 && isAboutAll && (server ?? allServers) === allServers) {
      return await this.#onEach([command, ...words], signal);
    }
    const named = this.#named(server);
    if (command !== 'call' && !(command === 'tools' && !isAboutAll)) {
      const args = [command, ...words];
      return await runCommand(this.#context, this.#oneFor(named, args), { args, signal });
    }
    const at = words.findIndex((word) => !word.startsWith('-'));
    const written = words[at];
    if (named !== undefined || connected.length === 1 || written === undefined) {
      const args = [command, ...words];
      return await runCommand(this.#context, this.#oneFor(named, args), { args, signal });
    }
    const { client, tool } = await this.#parts.servers.find(written, signal);
    return await runCommand(this.#context, this.#oneFor(this.#named(client.name)), {
      args: [command, ...words.with(at, tool)],
      signal,
    });
  }

  /** Runs a command on each server, under its name; the first failure decides. */
  async #onEach(args: readonly string[], signal: AbortSignal): Promise<ExitCode> {
    const { terminal } = this.#context;
    let exitCode: ExitCode = 0;
    for (const server of this.#parts.connected) {
      const name = sanitizeLine(server.client.name);
      terminal.print(terminal.colors.bold(name));
      try {
        await runCommand(this.#context, server, { args, signal });
      } catch (error) {
        signal.throwIfAborted();
        const code = exitCodeOf(error);
        reportError(error, code, { ...this.#context, server: name });
        if (exitCode === 0) exitCode = code;
      }
    }
    return exitCode;
  }

  #named(name: string | undefined): ConnectedServer | undefined {
    return this.#parts.connected.find(({ client }) => client.name === name);
  }

  /** The server that is named, or the only one. */
  #oneFor(
    named: ConnectedServer | undefined,
    args: readonly string[] = ['watch'],
  ): ConnectedServer {
    const [only, other] = this.#parts.connected;
    const server = named ?? (other === undefined ? only : undefined);
    if (server !== undefined) return server;
    const [command = '', ...words] = args;
    const names = this.#parts.connected.map(({ client }) => client.name);
    throw usageError(
      `write the server that is meant: ${[command, names[0], ...words].join(' ')} (there are ${names.join(', ')})`,
    );
  }

  #trace(words: readonly string[]): void {
    const { trace } = this.#parts;
    const [word, ...more] = words;
    if (more.length > 0 || !['on', 'off', undefined].includes(word)) {
      throw usageError('write trace on or trace off');
    }
    if (word !== undefined && trace.isWritten) {
      throw usageError('the trace of this session goes to the file of --trace, whole');
    }
    if (word !== undefined) trace.isOn = word === 'on';
    const state = trace.isOn ? 'traced' : 'not traced';
    this.#context.terminal.remark(`What passes to the servers and back is ${state}.`);
  }

  async #help([word]: readonly string[], signal: AbortSignal): Promise<ExitCode> {
    const { terminal } = this.#context;
    if (word !== undefined && Object.hasOwn(COMMANDS, word)) {
      const [server] = this.#parts.connected;
      const args = [word, '--help'];
      return server === undefined ? 0 : await runCommand(this.#context, server, { args, signal });
    }
    const rows = Object.entries({ ...COMMANDS, ...OWN_COMMANDS }).map(
      ([command, [words, does]]) => [`${command} ${words}`.trimEnd(), does],
    );
    terminal.print(renderTable(['line', 'what it does'], rows, terminal));
    return 0;
  }
}
