import { PROTOCOL_VERSIONS, type Protocol } from '@longwire/client';
import { didYouMean, type TlsFiles } from '@longwire/client/internal';
import { Argument, type Command } from 'commander';
import { parseDuration } from './durations.js';
import { parseHeaders } from './headers.js';
import { parseVariables } from './variables.js';
import { usageError } from './command-error.js';

const transports = ['sse', 'streamable-http', 'stdio', 'tool-events'] as const;

/** What `--transport` may name. */
export type Transport = (typeof transports)[number];

const protocols: readonly Protocol[] = ['auto', ...PROTOCOL_VERSIONS];

/** The values that an option of every command takes; none where it takes any. */
export function optionValues(option: string): readonly string[] {
  if (option === '--transport') return transports;
  return option === '--protocol' ? protocols : [];
}

const aServer = 'URL of the server, or a name that longwire servers lists';

/** The argument of a command that is about one server. */
export const targetArgument: readonly [name: string, description: string] = [
  '[target]',
  `${aServer}; or -- and the command that starts it (default: MCP_SERVER_URL)`,
];

/** The argument of a command that may be about every server. */
export const targetOrAllArgument: readonly [name: string, description: string] = [
  '[target]',
  `${aServer}, or @all; or -- and the command that starts it (default: MCP_SERVER_URL)`,
];

/** The argument of a command that is about a server with which one can log in. */
export const loginTargetArgument: readonly [name: string, description: string] = [
  '[target]',
  `${aServer} (default: MCP_SERVER_URL)`,
];

/** The arguments of a command that is about several servers. */
export const targetsArgument: readonly [name: string, description: string] = [
  '[targets...]',
  'URLs, names that longwire servers lists, @all; and -- and a command after them (default: MCP_SERVER_URL)',
];

/** Takes any words, of which the help explains each kind. */
export function takeWords(
  command: Command,
  kinds: readonly (readonly [name: string, description: string])[],
): Command {
  return command.argument('[words...]').configureHelp({
    visibleArguments: () =>
      kinds.map(([name, about]) => new Argument(name.startsWith('[') ? name : `[${name}]`, about)),
  });
}

/** What every command takes. */
export interface CommonOptions {
  /** Of `--header`, names in lower case. */
  headers: Record<string, string>;
  /** Idle time of a call, in milliseconds. */
  timeoutMs?: number;
  /** Hard cap of a call, in milliseconds. */
  deadlineMs?: number;
  /** The transport to use instead of detection. */
  transport?: Transport;
  /** The version of the protocol to use instead of detection. */
  protocol?: Protocol;
  /** Of `--env`: the environment variables of the command after `--`. */
  variables: Record<string, string>;
  /** Of `--cwd`: where the command after `--` runs. */
  directory?: string;
  /** Of `--proxy`: its address, or `none`. */
  proxy?: string;
  /** Of `--ca`, `--cert` and `--key`: the files. */
  tls?: TlsFiles;
  /** Of `--config`: the file that names servers, instead of the `longwire.json` that is here. */
  configFile?: string;
  /** Of `--profile`. */
  profile?: string;
  /** One JSON document on stdout and nothing else there. */
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** Of `--trace`: the file that it is written to; an empty text where it is shown. */
  trace?: string;
  color: boolean;
}

/** Adds the common options; they may stand before or after the command. */
export function addCommonOptions(program: Command): void {
  program
    .option('--header <header>', "send a header, 'Name: value' (repeatable)", collect)
    .option('--timeout <duration>', 'fail after this long without progress (default: 60s)')
    .option('--deadline <duration>', 'fail after this long, progress or not (default: 1h)')
    .option('--transport <name>', `use ${transports.join(', ')} (default: detected)`)
    .option('--protocol <version>', `speak ${PROTOCOL_VERSIONS.join(', ')} (default: auto)`)
    .option(
      '--env <variable>',
      'NAME=value for the command after --, or NAME (repeatable)',
      collect,
    )
    .option('--cwd <directory>', 'where the command after -- runs (default: here)')
    .option('--proxy <url>', 'go through this proxy, or `none` (default: HTTPS_PROXY, HTTP_PROXY)')
    .option('--ca <file>', 'trust the authorities in it, too (PEM)')
    .option('--cert <file>', 'identify by this certificate (PEM)')
    .option('--key <file>', 'the key of the certificate (default: in the same file)')
    .option('--config <file>', 'the file that names servers (default: longwire.json)')
    .option('--profile <name>', 'lay this profile of the file over it (default: LONGWIRE_PROFILE)')
    .option('--json', 'print one JSON document and nothing else on stdout')
    .option('-q, --quiet', 'no remarks, no progress')
    .option('--no-color', 'no colours (also NO_COLOR; FORCE_COLOR=1 for colours on a pipe)')
    .option('-v, --verbose', 'say what happens underneath')
    .option('--trace [=file]', 'show each message and HTTP exchange, or record them');
}

/** The words with a bare `--trace` in a form that does not take the next word for its file. */
export function withBareTrace(args: readonly string[]): string[] {
  return args.map((arg) => (arg === '--trace' ? '--trace=' : arg));
}

/**
 * Reads the values of the common options; `env` is where `--env NAME` looks.
 *
 * @throws LongwireError (usage) that names the option.
 */
export function readCommonOptions(
  program: Command,
  env: Readonly<Record<string, string | undefined>>,
): CommonOptions {
  const raw = program.opts<{
    header?: string[];
    timeout?: string;
    deadline?: string;
    transport?: string;
    protocol?: string;
    env?: string[];
    cwd?: string;
    proxy?: string;
    ca?: string;
    cert?: string;
    key?: string;
    config?: string;
    profile?: string;
    json?: boolean;
    quiet?: boolean;
    verbose?: boolean;
    trace?: string;
    color: boolean;
  }>();
  const { json = false, quiet = false, verbose = false, color, trace } = raw;
  return {
    headers: parseHeaders(raw.header ?? []),
    ...(raw.timeout !== undefined && { timeoutMs: parseDuration(raw.timeout, '--timeout') }),
    ...(raw.deadline !== undefined && { deadlineMs: parseDuration(raw.deadline, '--deadline') }),
    ...(raw.transport !== undefined && { transport: parseTransport(raw.transport) }),
    ...(raw.protocol !== undefined && { protocol: parseProtocol(raw.protocol) }),
    variables: parseVariables(raw.env ?? [], env),
    ...(raw.cwd !== undefined && { directory: raw.cwd }),
    ...(raw.proxy !== undefined && { proxy: raw.proxy }),
    ...((raw.ca ?? raw.cert ?? raw.key) !== undefined && {
      tls: {
        ...(raw.ca !== undefined && { ca: raw.ca }),
        ...(raw.cert !== undefined && { cert: raw.cert }),
        ...(raw.key !== undefined && { key: raw.key }),
      },
    }),
    ...(raw.config !== undefined && { configFile: raw.config }),
    ...(raw.profile !== undefined && { profile: raw.profile }),
    json,
    quiet,
    // What is traced is more of the same.
    verbose: verbose || trace === '' || trace === '-',
    ...(trace !== undefined && { trace: trace === '-' ? '' : trace }),
    color,
  };
}

function parseTransport(name: string): Transport {
  const transport = transports.find((known) => known === name);
  if (transport !== undefined) return transport;
  throw usageError(
    `--transport "${name}" is not a transport: use ${transports.join(', ')}.${didYouMean(name, transports)}`,
  );
}

function parseProtocol(version: string): Protocol {
  const protocol = protocols.find((known) => known === version);
  if (protocol !== undefined) return protocol;
  throw usageError(
    `--protocol "${version}" is no version of the protocol: use ${protocols.join(', ')}.${didYouMean(version, protocols)}`,
  );
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
