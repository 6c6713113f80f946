import type { CommandTarget, LongwireClient } from '@longwire/client';
import type { Command } from 'commander';
import type { Environment } from './environment.js';
import type { ExitCode } from './exit-codes.js';
import type { Credentials } from './headers.js';
import type { Interruptions } from './interruptions.js';
import type { CommonOptions } from './options.js';
import type { Redactor } from './redact.js';
import type { Input } from './streams.js';
import type { Target } from './target.js';
import type { Terminal } from './terminal.js';
import type { Trace } from './trace/trace.js';

/** A server that is connected. */
export interface ConnectedServer {
  readonly client: LongwireClient;
  readonly target: Target;
  /** The tasks that were left or lost in this session. */
  readonly taskIds: Set<string>;
}

/** What a command works with. */
export interface Context {
  readonly options: CommonOptions;
  readonly environment: Environment;
  /** All variables of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The server that comes after `--`. */
  readonly command: CommandTarget | undefined;
  /** The server of a session: a command uses it, and leaves it open. No word names another. */
  readonly connected?: ConnectedServer;
  readonly terminal: Terminal;
  readonly redactor: Redactor;
  readonly interruptions: Interruptions;
  readonly stdin: Input;
  readonly cwd: string;
  /** The file that runs this command, if it can be started again. */
  readonly bin?: string | undefined;
  /** Of `--trace`. */
  readonly trace?: Trace | undefined;
  /** What is known of the requests so far: the credentials of the last one, whether it had a session. */
  readonly requests: { credentials: Credentials; hasSession?: boolean };
}

/** What a command does once its words are parsed. */
export type Action = (context: Context) => Promise<ExitCode>;

/** Adds a command to the program; `run` is given what it does. */
export type AddCommand = (program: Command, run: (action: Action) => Promise<void>) => void;
