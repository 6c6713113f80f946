import { HttpStatusError, LongwireError, type LongwireClient } from '@longwire/client';
import { isCredentialName } from '@longwire/client/internal';
import { describeRoute } from '../connection-words.js';
import type { Context } from '../context.js';
import { formatDuration } from '../durations.js';
import { isJsonObject } from '../json-object.js';
import { networkOf } from '../network.js';
import { sanitizeLine } from '../sanitize.js';
import { closeClients, followClients, operationOptions } from '../session.js';
import { createServerClient, createTargetClient } from '../target-client.js';
import { shellWord } from '../shell-word.js';
import { nameOf, type Server } from '../target.js';
import type { Examination, Finding } from './examination.js';
import type { PlainAnswer } from './first-answer.js';
import { heldBack, listenTo } from './event-stream.js';
import { Wire } from './wire.js';
import { taskSupportOf } from '../tasks/task-support.js';

/** How long the search for a server nearby may take. */
const nearbyMs = 5000;

/** How long a program may take to exit once its input has ended. */
const exitMs = 3000;

/** The most lines of a program's output that are shown. */
const maxOutputLines = 3;
const maxOutputLength = 200;

/** Speaks to a server by the library, so that what it meets is what every other command meets. */
export class ServerTalk {
  readonly #context: Context;
  readonly #server: Server;
  readonly #wire = new Wire();
  #client: LongwireClient | undefined;
  /** What a GET without credentials came to. */
  plainAnswer: PlainAnswer | undefined;

  constructor(context: Context, server: Server) {
    this.#context = { ...context, requests: { credentials: 'none' } };
    this.#server = server;
  }

  /** The handshake: which transport, which version, who. */
  async connect(examination: Examination): Promise<Finding> {
    const { signal } = examination;
    const client = await createServerClient(this.#context, this.#server, {
      observe: (event) => this.#wire.take(event),
    });
    this.#client = client;
    followClients(this.#context, [client], { several: false });
    try {
      await client.connect({ signal });
    } catch (error) {
      if (signal.aborted) throw error;
      return await this.#refused(error, examination);
    }
    const { state, server, protocolVersion } = client;
    if (state.name !== 'ready') throw lost(client);
    const name = sanitizeLine([server?.name, server?.version].filter(Boolean).join(' '), 100);
    const version = protocolVersion ?? 'no version told';
    return {
      detail: `${describeRoute(state)}, protocol ${version}, ${name || 'without a name'}`,
      facts: {
        transport: state.transport,
        address: state.address,
        protocolVersion: protocolVersion ?? null,
        server: server ?? null,
      },
    };
  }

  /** Asks whether it is there, and whether it keeps a session. */
  async ping(): Promise<Finding> {
    const { client, signal } = this.#ready();
    const health = await client.health({ signal });
    const detail = this.#sessionWords(client);
    if (health.status === 'down') {
      const why = sanitizeLine(health.reason ?? 'no reason', 200);
      return {
        status: 'failed',
        detail: `it does not answer a ping: ${why}`,
        hint: 'look at what the server itself says; the connection to it was made',
        exitCode: 5,
      };
    }
    return { detail, facts: { pingMs: Math.round(health.latencyMs ?? 0) } };
  }

  #sessionWords({ state, protocolVersion }: LongwireClient): string {
    const transport = state.name === 'ready' ? state.transport : undefined;
    if (transport === 'stdio') return 'the session is the program itself';
    if (transport === 'sse' || transport === 'tool-events') return 'a session that is its stream';
    if (this.#context.requests.hasSession === true) return 'a session by Mcp-Session-Id';
    return `no session: each request stands for itself (${protocolVersion ?? 'no version'})`;
  }

  /** Everything that it says it has. */
  async list(): Promise<Finding> {
    const { client } = this.#ready();
    const options = operationOptions(this.#context);
    const { capabilities } = client;
    const has = capabilities?.resources !== undefined;
    const counts = {
      ...(capabilities?.tools !== undefined && { tools: (await client.listTools(options)).length }),
      ...(has && { resources: (await client.listResources(options)).length }),
      ...(has && { templates: (await client.listResourceTemplates(options)).length }),
      ...(capabilities?.prompts !== undefined && {
        prompts: (await client.listPrompts(options)).length,
      }),
    };
    const words = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
    if (taskSupportOf(client) !== 'none') words.push('tasks');
    return { detail: words.join(', ') || 'it offers nothing to list', facts: { counts } };
  }

  /** Calls the first tool that only reads and needs no arguments. */
  async call(): Promise<Finding> {
    const { client } = this.#ready();
    const options = operationOptions(this.#context);
    const tools = client.capabilities?.tools === undefined ? [] : await client.listTools(options);
    const tool = tools.find(({ annotations, inputSchema }) => {
      const { required } = isJsonObject(inputSchema) ? inputSchema : {};
      const needs = Array.isArray(required) && required.length > 0;
      return annotations?.readOnlyHint === true && !needs;
    });
    if (tool === undefined) {
      return {
        status: 'skipped',
        detail: 'no tool says that it only reads and needs no arguments',
      };
    }
    const name = sanitizeLine(tool.name, 100);
    const result = await client.callTool(tool.name, {}, options);
    if (result.isError !== true) return { detail: `${name} answered`, facts: { tool: tool.name } };
    return {
      status: 'warning',
      detail: `${name} answered that it failed`,
      facts: { tool: tool.name },
      hint: `see why: longwire call ${shellWord(name)}`,
    };
  }

  /** Waits on the stream on which the server speaks unasked. */
  async listen(waitMs: number): Promise<Finding> {
    const { client, signal } = this.#ready();
    const { terminal } = this.#context;
    terminal.showLive(`listening to its event stream for ${formatDuration(waitMs)}`);
    return await listenTo(client, this.#wire, { waitMs, signal });
  }

  /** What a program writes beside its messages. */
  output(): Finding {
    const { stdout, stderr } = this.#wire.lines;
    const shown = (lines: readonly string[]): string[] =>
      lines.slice(0, maxOutputLines).map((line) => this.#shown(line));
    const facts = { stdoutLines: stdout.length, stderrLines: stderr.length };
    const said = `${countOf(stderr)} on its stderr`;
    if (stdout.length === 0)
      return { detail: `messages only; ${said}`, lines: shown(stderr), facts };
    return {
      status: 'warning',
      detail: `${countOf(stdout)} on its stdout beside messages; ${said}`,
      lines: shown(stdout),
      facts,
      hint: 'let it write logs to stderr: some clients end a server for such a line',
    };
  }

  /** How a program ends once its input does. */
  async exit(): Promise<Finding> {
    const startedAt = performance.now();
    await this.close();
    const ended = await this.#wire.exited(exitMs);
    const took = formatDuration(performance.now() - startedAt);
    if (ended === undefined) {
      return { status: 'warning', detail: `it was not seen to exit within ${took}` };
    }
    const { exitCode, signal } = ended;
    if (signal === undefined) {
      return {
        detail: `exits with code ${exitCode ?? 0} when its input ends`,
        facts: { exitCode },
      };
    }
    return {
      status: 'warning',
      detail: `does not exit when its input ends: ${signal} ended it after ${took}`,
      facts: { signal },
      hint: 'let it exit at the end of its stdin, or every client waits for it',
    };
  }

  /** Closes the connection; harmless when repeated. */
  async close(): Promise<void> {
    if (this.#client !== undefined) await closeClients([this.#client]);
  }

  /** Why there is no connection, and at which layer. */
  async #refused(error: unknown, examination: Examination): Promise<Finding> {
    const hint = 'what it answers is above: look at the log of the server, or ask whoever runs it';
    const failure = examination.failure(error, this.#context.requests);
    const finding = { ...failure, hint: failure.hint ?? hint };
    if (!(error instanceof LongwireError)) return finding;
    const stdout = this.#wire.lines.stdout.slice(0, maxOutputLines);
    if (stdout.length > 0) {
      const lines = stdout.map((line) => `on its stdout, and no message: ${this.#shown(line)}`);
      return { ...finding, lines: [...(finding.lines ?? []), ...lines] };
    }
    if (error.code === 'unauthorized' || error.code === 'forbidden') {
      return { ...finding, layer: 'login' };
    }
    if (isRedirect(error)) return { ...finding, layer: 'redirect' };
    if (error.code === 'connect-failed' && typeof this.#server.target === 'string')
      return { ...finding, layer: 'http' };
    if (error.code === 'connect-timeout' && this.#isHeldBack()) {
      return { ...heldBack, facts: { ...heldBack.facts, ...finding.facts } };
    }
    if (error.code !== 'not-mcp') return finding;
    const nearby = await this.#findNearby(examination.signal);
    return nearby === undefined ? finding : { ...finding, hint: `write ${nearby}` };
  }

  /** A stream was asked for, and nothing of it has come. */
  #isHeldBack(): boolean {
    const { isSilent = false, isSilentStream = false } = this.plainAnswer ?? {};
    return isSilentStream || (isSilent && this.#wire.isStreamHeldBack);
  }

  /** The address of a server on the same origin, where there is one at a usual path. */
  async #findNearby(signal: AbortSignal): Promise<string | undefined> {
    const { target } = this.#server;
    if (typeof target !== 'string' || new URL(target).pathname === '/') return undefined;
    const { options } = this.#context;
    const timeoutMs = Math.min(options.timeoutMs ?? nearbyMs, nearbyMs);
    // Credentials are for the path that was written, and others may share the origin.
    const headers = Object.fromEntries(
      Object.entries(options.headers).filter(([name]) => !isCredentialName(name)),
    );
    const context = { ...this.#context, options: { ...options, headers, timeoutMs } };
    const root = new URL(target).origin;
    const network = networkOf(context, this.#server);
    const client = createTargetClient(context, root, { name: nameOf(root), network });
    try {
      await client.connect({ signal });
      return client.state.name === 'ready' ? client.state.address : undefined;
    } catch {
      return undefined;
    } finally {
      await closeClients([client]);
    }
  }

  /** The beginning of a line of the server, without part of a secret at its end. */
  #shown(line: string): string {
    return sanitizeLine(this.#context.redactor.message(sanitizeLine(line)), maxOutputLength);
  }

  #ready(): { client: LongwireClient; signal: AbortSignal } {
    if (this.#client === undefined) throw new Error('it is not connected yet');
    return { client: this.#client, signal: this.#context.interruptions.signal };
  }
}

function countOf({ length }: readonly string[]): string {
  return length === 1 ? '1 line' : `${length} lines`;
}

function lost({ state }: LongwireClient): LongwireError {
  if (state.name === 'reconnecting' || state.name === 'resting') return state.reason;
  return new LongwireError('the connection was lost at once', {
    code: 'connection-lost',
    certainty: 'not-sent',
  });
}

function isRedirect(error: LongwireError): boolean {
  for (
    let at: unknown = error, depth = 0;
    at instanceof Error && depth < 6;
    at = at.cause, depth++
  ) {
    if (at instanceof HttpStatusError && at.status >= 300 && at.status < 400) return true;
  }
  return false;
}
