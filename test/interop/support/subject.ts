import { connect, type ClientOptions, type LongwireClient } from '@longwire/client';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  commandOf,
  startServer,
  type BuiltServer,
  type Output,
} from '../../support/built-servers.ts';
import type { Peer } from '../../support/peers.ts';
import { descendantsOf, killAtOnce } from '../../support/process-tree.ts';
import { runCli, type CliRun } from '../../support/run-cli.ts';
import { connectOfficial, connectOfficialCommand, type OfficialClient } from './official-client.ts';
import { removeFolder } from '../../support/remove-folder.ts';

/** For the first request to a server that has just started, on a busy machine. */
const connectMs = 60_000;

/** What is started as a subject. */
export interface SubjectOptions {
  name: BuiltServer;
  /** Where it was built. */
  directory: string;
  output: Output;
}

/** A server of another language that is tried: running, or started by each client of it. */
export class Subject implements AsyncDisposable {
  readonly #options: SubjectOptions;
  readonly #scratch: string;
  #peer: Peer | undefined;

  private constructor(options: SubjectOptions, scratch: string) {
    this.#options = options;
    this.#scratch = scratch;
  }

  static async start(options: SubjectOptions): Promise<Subject> {
    const subject = new Subject(options, await mkdtemp(join(tmpdir(), 'longwire-')));
    await subject.#start(0);
    return subject;
  }

  async connect(options?: ClientOptions): Promise<LongwireClient> {
    const target = this.#peer?.url ?? this.#command;
    return await connect(target, { timeouts: { connectMs }, ...options });
  }

  async connectOfficial(): Promise<OfficialClient> {
    if (this.#peer === undefined) return await connectOfficialCommand(this.#command);
    return await connectOfficial(this.#peer.url);
  }

  /** Runs a command of `longwire` with it. */
  async cli(verb: string, ...rest: string[]): Promise<CliRun> {
    const { command, args } = this.#command;
    const url = this.#peer === undefined ? [] : [this.#peer.url];
    const program = this.#peer === undefined ? ['--', command, ...args] : [];
    const words = [verb, '--timeout', `${connectMs}ms`, ...url, ...rest, ...program];
    return await runCli(words, { killAfterMs: connectMs + 5000 });
  }

  /** How often it wrote this line. */
  async happened(event: string): Promise<number> {
    const text = await readFile(this.#events, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line === event).length;
  }

  /**
   * Kills it as the end of its machine would, and starts it again; a server that is a process of
   * the client's is started again by that.
   */
  async restart(): Promise<void> {
    if (this.#peer === undefined) {
      descendantsOf(process.pid).forEach(killAtOnce);
      return;
    }
    const { port } = new URL(this.#peer.url);
    await this.#peer.stop();
    await this.#start(Number(port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer?.stop();
    await removeFolder(this.#scratch);
  }

  async #start(port: number): Promise<void> {
    const { name, ...options } = this.#options;
    if (options.output === 'stdio') return;
    this.#peer = await startServer(name, { ...options, port, events: this.#events });
  }

  get #events(): string {
    return join(this.#scratch, 'events');
  }

  get #command(): { command: string; args: string[] } {
    const { name, ...options } = this.#options;
    return commandOf(name, { ...options, events: this.#events });
  }
}
