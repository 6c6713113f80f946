import { LongwireError, type ConnectionState, type LongwireClient } from '@longwire/client';
import { Option } from 'commander';
import { createStateWords } from '../connection-words.js';
import type { AddCommand, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { describeNotification } from '../notifications.js';
import { collect, targetArgument } from '../options.js';
import { sanitizeLine } from '../sanitize.js';
import {
  closeClients,
  connectClients,
  createTargetClient,
  operationOptions,
  targetOf,
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
    .description("print the server's notifications and the connection's changes, as they happen")
    .argument(...targetArgument)
    .addOption(
      new Option('--level <level>', 'ask for log messages from this level up')
        .choices(levels)
        .default('debug'),
    )
    .option('--subscribe <uri>', 'be told when this resource changes (repeatable)', collect)
    .addHelpText(
      'after',
      '\nGoes on until Ctrl-C, also over losses of the connection. With --json, one line an event.\n\nExample:\n  $ longwire watch http://127.0.0.1:3001/sse --level info',
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
  // Who watches wants to see it come back, however long that takes.
  const retry = { maxAttempts: Infinity };
  const client = createTargetClient(context, targetOf(word, context), { retry });
  try {
    const ended = printEvents(context, client);
    await connectClients(context, [client]);
    await Promise.race([askForEvents(context, client, options), ended]);
    return await ended;
  } finally {
    await closeClients([client]);
  }
}

/** Prints until the command is interrupted, or the server refuses for good, which is a failure. */
function printEvents(context: Context, client: LongwireClient): Promise<ExitCode> {
  const { terminal, options, redactor, interruptions } = context;
  const print = (event: Record<string, unknown>, line: string): void => {
    const time = new Date().toISOString();
    if (options.json) return terminal.json({ time, ...event }, { lines: true });
    terminal.print(`${terminal.colors.dim(time)} ${line}`);
  };
  const told = ({ code, summary }: LongwireError): object => ({
    code,
    message: redactor.message(sanitizeLine(summary)),
  });
  client.on('notification', (notification) => {
    const { method, params } = notification;
    print({ event: 'notification', method, params }, describeNotification(notification));
  });
  client.on('error', (error) => {
    print(
      { event: 'error', ...told(error) },
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
        ...('reason' in state && { reason: told(state.reason) }),
        // Beside the attempt it says nothing here: there is no limit.
        maxAttempts: undefined,
        spent: undefined,
        // How it was found is no event.
        tried: undefined,
      };
      print({ event: 'state', state: shown }, redactor.message(words(state)));
      // It does not dial again by itself, and there is nothing here that would make it.
      if (isOver) reject(over(state));
    });
  });
  ended.catch(() => undefined);
  return ended;
}

/** Why it does not go on: what the server answered to the attempt to connect again. */
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
  { level, subscribe = [] }: WatchOptions,
): Promise<void> {
  const { terminal } = context;
  if (client.capabilities?.logging !== undefined) {
    await client.setLogLevel(level, operationOptions(context)).catch((error: LongwireError) => {
      if (context.interruptions.signal.aborted) throw error;
      terminal.remark(`The log level was not set: ${sanitizeLine(error.summary)}`);
    });
  }
  for (const uri of subscribe) await client.subscribeResource(uri, operationOptions(context));
  terminal.remark('Watching; Ctrl-C ends it.');
}
