import type { Command } from 'commander';
import type { Dialect } from '@longwire/client';
import { parseDuration } from './durations.js';
import { parseHeaders } from './headers.js';
import { didYouMean } from './nearest.js';
import { usageError } from './command-error.js';

/** What every command takes. */
export interface CommonOptions {
  /** Of `--header`, names in lower case. */
  headers: Record<string, string>;
  /** Idle time of a call, in milliseconds. */
  timeoutMs?: number;
  /** Hard cap of a call, in milliseconds. */
  deadlineMs?: number;
  /** The one dialect to speak, instead of finding out. */
  transport?: Dialect;
  /** One JSON document on stdout and nothing else there. */
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  color: boolean;
}

/** Adds the common options; they may stand before or after the command. */
export function addCommonOptions(program: Command): void {
  program
    .option('--header <header>', "send a header, 'Name: value' (repeatable)", collect)
    .option('--timeout <duration>', 'give up after this long without progress (default: 60s)')
    .option('--deadline <duration>', 'give up after this long, progress or not (default: 1h)')
    .option('--transport <name>', 'speak sse or tool-events, instead of finding out')
    .option('--json', 'print one JSON document and nothing else on stdout')
    .option('-q, --quiet', 'no remarks, no progress')
    .option('--no-color', 'no colours (also NO_COLOR)')
    .option('-v, --verbose', 'say what happens underneath');
}

/**
 * Reads the values of the common options.
 *
 * @throws LongwireError (usage) that names the option.
 */
export function readCommonOptions(program: Command): CommonOptions {
  const raw = program.opts<{
    header?: string[];
    timeout?: string;
    deadline?: string;
    transport?: string;
    json?: boolean;
    quiet?: boolean;
    verbose?: boolean;
    color: boolean;
  }>();
  const { json = false, quiet = false, verbose = false, color } = raw;
  return {
    headers: parseHeaders(raw.header ?? []),
    ...(raw.timeout !== undefined && { timeoutMs: parseDuration(raw.timeout, '--timeout') }),
    ...(raw.deadline !== undefined && { deadlineMs: parseDuration(raw.deadline, '--deadline') }),
    ...(raw.transport !== undefined && { transport: parseTransport(raw.transport) }),
    json,
    quiet,
    verbose,
    color,
  };
}

/** Refuses what comes after `--`: a command to start, which this version does not do. */
export function refuseStdioCommand(args: readonly string[]): void {
  if (!args.includes('--')) return;
  throw usageError(
    'a command after -- is a stdio server, and this version speaks sse and tool-events: give the URL of a server',
  );
}

function parseTransport(name: string): Dialect {
  if (name === 'sse' || name === 'tool-events') return name;
  if (name === 'streamable-http' || name === 'stdio') {
    throw usageError(`--transport ${name}: this version speaks sse and tool-events`);
  }
  throw usageError(
    `--transport "${name}" is not a transport: use sse or tool-events.${didYouMean(name, ['sse', 'tool-events'])}`,
  );
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
