import type { LongwireClient, LongwireError, ServerNotification } from '@longwire/client';
import { Option } from 'commander';
import { collect } from '../options.js';
import type { AddCommand, Context } from '../context.js';
import { describeState } from '../connection-state.js';
import type { ExitCode } from '../exit-codes.js';
import { sanitizeLine } from '../sanitize.js';
import {
  connectClient,
  closeClients,
  createTargetClient,
  operationOptions,
  targetOf,
  warnOfEnvironment,
} from '../session.js';

const levels = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const;

interface WatchOptions {
  level: (typeof levels)[number];
  subscribe?: string[];
}

/** `longwire watch [target]` */
export const addWatch: AddCommand = (program, run) => {
  program
    .command('watch')
    .description('print everything the server sends, as it happens, until Ctrl-C')
    .argument('[target]', 'URL of the server (default: MCP_SERVER_URL)')
    .addOption(
      new Option('--level <level>', 'ask for log messages from this level up')
        .choices(levels)
        .default('debug'),
    )
    .option('--subscribe <uri>', 'be told when this resource changes (repeatable)', collect)
    .addHelpText(
      'after',
      '\nWith --json, one line an event.\n\nExample:\n  $ longwire watch http://127.0.0.1:3001/sse --level info',
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
  warnOfEnvironment(context, 'MCP_SERVER_URL');
  const target = targetOf(word, context);
  const client = createTargetClient(context, target);
  try {
    const ended = printEvents(context, client);
    await connectClient(context, client);
    await askForEvents(context, client, options);
    return await ended;
  } finally {
    await closeClients([client]);
  }
}

/** Prints until the connection ends, or the command is interrupted. */
function printEvents(context: Context, client: LongwireClient): Promise<ExitCode> {
  const { terminal, options, interruptions } = context;
  const print = (event: Record<string, unknown>, line: string): void => {
    const time = new Date();
    if (options.json) {
      return terminal.json({ time: time.toISOString(), ...event }, { lines: true });
    }
    terminal.print(`${terminal.colors.dim(time.toISOString().slice(11, 23))} ${line}`);
  };
  client.on('notification', (notification) => {
    const { method, params } = notification;
    print({ event: 'notification', method, params }, describeNotification(notification));
  });
  client.on('error', (error) => {
    const message = context.redactor.message(sanitizeLine(error.message));
    print({ event: 'error', code: error.code, message }, `error ${message}`);
  });
  return new Promise((resolve) => {
    interruptions.signal.addEventListener('abort', () => resolve(130), { once: true });
    client.on('state', (state) => {
      const { reason, ...rest } = { reason: undefined, ...state };
      const url = 'url' in rest ? { url: context.redactor.message(rest.url) } : {};
      const why = reason && {
        code: reason.code,
        message: context.redactor.message(sanitizeLine(reason.message)),
      };
      print(
        { event: 'state', state: { ...rest, ...url, ...(why && { reason: why }) } },
        context.redactor.message(describeState(state)),
      );
      // Neither dials again by itself, and there is nothing here that would make it.
      if (state.name === 'resting' || state.name === 'closed') resolve(6);
    });
  });
}

async function askForEvents(
  context: Context,
  client: LongwireClient,
  { level, subscribe = [] }: WatchOptions,
): Promise<void> {
  const { terminal } = context;
  if (client.capabilities?.logging !== undefined) {
    await client.setLogLevel(level, operationOptions(context)).catch((error: LongwireError) => {
      if (context.interruptions.signal.aborted) throw error;
      terminal.remark(`The log level was not set: ${sanitizeLine(error.message)}`);
    });
  }
  for (const uri of subscribe) await client.subscribeResource(uri, operationOptions(context));
  terminal.remark('Watching; Ctrl-C ends it.');
}

function describeNotification({ method, params = {} }: ServerNotification): string {
  if (method === 'notifications/message') {
    const { level, logger, data } = params;
    const source = [level, logger].filter((part) => typeof part === 'string').join(' ');
    return sanitizeLine(`log ${source}: ${typeof data === 'string' ? data : JSON.stringify(data)}`);
  }
  const { _meta, ...rest } = params;
  const details = Object.keys(rest).length === 0 ? '' : JSON.stringify(rest);
  return sanitizeLine(`${method} ${details}`);
}
