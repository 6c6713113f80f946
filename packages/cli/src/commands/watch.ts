import {
  LongwireError,
  type ConnectionState,
  type LoggingLevel,
  type LongwireClient,
  type WireOutput,
} from '@longwire/client';
import { LOG_LEVELS } from '@longwire/client/internal';
import { Option } from 'commander';
import { allServers, chooseAll, chooseServer } from '../choose-servers.js';
import type { AllServers } from '../target.js';
import { createStateWords } from '../connection-words.js';
import type { AddCommand, Context } from '../context.js';
import { exitCodeOf, type ExitCode } from '../exit-codes.js';
import { tellSkipped } from '../look-at.js';
import { describeNotification } from '../notifications.js';
import { collect, targetArgument } from '../options.js';
import { errorAsJson, reportError, summaryOf } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { withoutLastWords } from '../trace/last-words.js';
import { closeClients, operationOptions } from '../session.js';
import { createServerClient } from '../target-client.js';

/** A watched server is awaited without limit. */
const retry = { maxAttempts: Infinity };

interface WatchOptions {
  level: LoggingLevel;
  subscribe?: string[];
  read?: string[];
}

/** Prints one event: as JSON, or the line for people. */
type PrintEvent = (event: Record<string, unknown>, line: string) => void;

/** `longwire watch [target]` */
export const addWatch: AddCommand = (program, run) => {
  program
    .command('watch')
    .description("print the server's notifications and the connection's changes, as they happen")
    .argument(...targetArgument)
    .addOption(
      new Option('--level <level>', 'ask for log messages from this level up')
        .choices(LOG_LEVELS)
        .default('debug'),
    )
    .option('--subscribe <uri>', 'be told when this resource changes (repeatable)', collect)
    .option('--read <uri>', 'the same, and print what it then holds (repeatable)', collect)
    .addHelpText(
      'after',
      `
Goes on until Ctrl-C, also over losses of the connection. With --json, one line
an event.

Examples:
  $ longwire watch http://127.0.0.1:3001/sse --level info
  $ longwire watch http://127.0.0.1:3001/sse --read demo://clock`,
    )
    .action((word: string | undefined, options: WatchOptions) =>
      run((context) => watch(context, word, options)),
    );
};

async function watch(
  context: Context,
  word: string | undefined,
  options: WatchOptions,
): Promise<ExitCode> {
  if (word === allServers) return await watchAll(context, options);
  const client = await createServerClient(context, await chooseServer(word, context), {
    retry,
    onOutput: outputPrinter(context),
  });
  try {
    const print = eventPrinter(context);
    const ended = printEvents(context, client, print);
    await connect(context, client);
    await Promise.race([askForEvents(context, client, { ...options, print }), ended]);
    return await ended;
  } finally {
    await closeClients([client]);
  }
}

/** Connects; what becomes of the connection is printed as events. */
async function connect(
  { terminal, interruptions }: Context,
  client: LongwireClient,
): Promise<void> {
  terminal.showLive(`connecting to ${client.name}`);
  try {
    await client.connect({ signal: interruptions.signal });
  } finally {
    terminal.stopLive();
  }
}

/** Watches every server, each line with its name, until none is left; failures are reported. */
async function watchAll(context: Context, options: WatchOptions): Promise<ExitCode> {
  const { interruptions } = context;
  const all = await chooseAll(context);
  tellSkipped(context, all);
  const failed = (server: string, error: unknown): ExitCode => {
    const code = exitCodeOf(error);
    if (!interruptions.signal.aborted) {
      reportError(error, code, { ...context, server });
      const told = { server, error: errorAsJson(error, context) };
      if (context.options.json) context.terminal.json(told, { lines: true });
    }
    return interruptions.signal.aborted ? 130 : code;
  };
  const watchOne = async (server: AllServers['servers'][number]): Promise<ExitCode> => {
    const name = sanitizeLine(server.config.name);
    let client: LongwireClient | undefined;
    try {
      const own = { ...context, requests: { credentials: 'none' as const } };
      client = await createServerClient(own, server, {
        retry,
        onOutput: outputPrinter(context, name),
      });
      const print = eventPrinter(context, name);
      const ended = printEvents(context, client, print);
      await client.connect({ signal: interruptions.signal });
      await Promise.race([askForEvents(context, client, { ...options, print }, name), ended]);
      return await ended;
    } catch (error) {
      return failed(name, error);
    } finally {
      if (client !== undefined) await closeClients([client]);
    }
  };
  const unusable = [...all.unusable].map(([name, error]) => failed(sanitizeLine(name), error));
  const codes = [...(await Promise.all(all.servers.map(watchOne))), ...unusable];
  return interruptions.signal.aborted ? 130 : (codes.find((code) => code !== 0) ?? 0);
}

/** What programs are told of a failure. */
function told({ redactor }: Context, { code, summary }: LongwireError): object {
  return { code, message: redactor.message(sanitizeLine(summary)) };
}

/** Prints until the command is interrupted, or the server refuses for good, which is a failure. */
function printEvents(
  context: Context,
  client: LongwireClient,
  print: PrintEvent,
): Promise<ExitCode> {
  const { redactor, interruptions } = context;
  client.on('notification', (notification) => {
    const { method, params } = notification;
    print({ event: 'notification', method, params }, describeNotification(notification));
  });
  client.on('error', (error) => {
    print(
      { event: 'error', ...told(context, error) },
      redactor.message(`error ${sanitizeLine(error.summary)}`),
    );
  });
  const words = createStateWords(client);
  let wasReady = false;
  const ended = new Promise<ExitCode>((resolve, reject) => {
    interruptions.signal.addEventListener('abort', () => resolve(130), { once: true });
    client.on('state', (state) => {
      const isOver = state.name === 'resting' || state.name === 'closed';
      // Where it never was ready, what fails is the connecting, which is told once.
      if (isOver && !wasReady) return;
      wasReady ||= state.name === 'ready';
      const shown = {
        ...state,
        ...('address' in state && { address: redactor.message(state.address) }),
        ...('connectMs' in state && { connectMs: Math.round(state.connectMs) }),
        ...('reason' in state && { reason: told(context, state.reason) }),
        // Beside the attempt it says nothing here: there is no limit.
        maxAttempts: undefined,
        dialsSinceAnswer: undefined,
        // How it was found is no event.
        tried: undefined,
      };
      print({ event: 'state', state: shown }, redactor.message(withoutLastWords(words(state))));
      // It does not dial again by itself, and there is nothing here that would make it.
      if (isOver) reject(over(state));
    });
  });
  ended.catch(() => undefined);
  return ended;
}

/** Prints an event with its time: its line, or with `--json` the event. */
function eventPrinter({ terminal, options }: Context, server?: string): PrintEvent {
  return (event, line) => {
    const time = new Date().toISOString();
    if (options.json) {
      return terminal.json(
        { time, ...(server !== undefined && { server }), ...event },
        { lines: true },
      );
    }
    const whose = server === undefined ? '' : `${terminal.colors.bold(server)} `;
    terminal.print(`${terminal.colors.dim(time)} ${whose}${line}`);
  };
}

/** Prints what the process of the server writes beside messages; the line has its name already. */
function outputPrinter(
  context: Context,
  server?: string,
): (line: string, output: WireOutput) => void {
  const printEvent = eventPrinter(context, context.options.json ? server : undefined);
  return (line, { from, line: written }) => {
    const { redactor } = context;
    const shown = redactor.message(sanitizeLine(written));
    printEvent({ event: 'output', from, line: shown }, redactor.message(line));
  };
}

/** Why it ends: the server's answer to the attempt to reconnect. */
function over(state: ConnectionState): LongwireError {
  if (!('reason' in state)) {
    const options = { code: 'closed', certainty: 'not-sent' } as const;
    return new LongwireError('the connection was closed', options);
  }
  const { code, certainty, hint, summary } = state.reason;
  const message = `the connection was lost and cannot be made again: ${summary}`;
  return new LongwireError(message, { code, certainty, hint, cause: state.reason });
}

async function askForEvents(
  context: Context,
  client: LongwireClient,
  { level, subscribe = [], read = [], print }: WatchOptions & { print: PrintEvent },
  server?: string,
): Promise<void> {
  const { terminal } = context;
  const whose = server === undefined ? '' : `${server}: `;
  if (client.capabilities?.logging !== undefined) {
    await client.setLogLevel(level, operationOptions(context)).catch((error: LongwireError) => {
      if (context.interruptions.signal.aborted) throw error;
      terminal.remark(`${whose}The log level was not set: ${sanitizeLine(error.summary)}`);
    });
  }
  const limits = operationOptions(context);
  for (const uri of subscribe) await client.subscribeResource(uri, limits);
  if (read.length > 0) await printResources(context, client, { uris: read, print });
  terminal.remark(`${whose}Watching; Ctrl-C ends it.`);
}

/** Prints what resources hold, now and whenever it changes. */
async function printResources(
  context: Context,
  client: LongwireClient,
  { uris, print }: { uris: readonly string[]; print: PrintEvent },
): Promise<void> {
  const { WatchedResources } = await import('../watch/watched-resources.js');
  const { describeContents } = await import('../watch/describe-contents.js');
  const watched = new WatchedResources(client, uris, {
    limits: operationOptions(context),
    onRead: (uri, { contents }) =>
      print({ event: 'resource', uri, contents }, describeContents(uri, contents)),
    onFailure: (uri, error) => {
      const failure = error instanceof LongwireError ? told(context, error) : {};
      const reason = context.redactor.message(sanitizeLine(summaryOf(error)));
      print({ event: 'error', uri, ...failure }, `error ${sanitizeLine(uri)}: ${reason}`);
    },
  });
  await watched.start();
}
