import { resolve } from 'node:path';
import type { LongwireClient } from '@longwire/client';
import { allServers, chooseServers, refuseCommand, type AllServers } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import { readConfiguration } from '../configuration.js';
import type { AddCommand, Context } from '../context.js';
import type { PageSource } from '../dash/page-source.js';
import type { ExitCode } from '../exit-codes.js';
import { tellSkipped } from '../look-at.js';
import { summaryOf } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { closeClients, createServerClient, createTargetClient, followClients } from '../session.js';
import { serverNames, writtenTarget } from '../target.js';

/** A server that is shown is awaited without limit, from the beginning. */
const retry = { maxAttempts: Infinity, firstConnect: true };

interface DashOptions {
  demo?: boolean;
  record?: string;
  replay?: string;
  port?: string;
  open: boolean;
}

/** `longwire dash [target …]` */
export const addDash: AddCommand = (program, run) => {
  program
    // It is in the help once the page is part of the build.
    .command('dash', { hidden: true })
    .description('a live page of what servers do, on this machine only')
    .argument(
      '[target...]',
      'URLs of servers, or their names in longwire.json (default: all of them)',
    )
    .option('--demo', 'show three embedded servers: metrics, logs, alerts')
    .option('--record <file>', 'write down all that happens, a line of JSON each')
    .option('--replay <file>', 'show again what was recorded')
    .option('--port <number>', 'where the page is (default: any free port)')
    .option('--no-open', 'open no browser')
    .addHelpText(
      'after',
      `
Goes on until Ctrl-C. Only whoever has the address that is printed can open the page: it has a token.
A recording holds what arguments and results hold, but for keys and tokens that are known as such.

Example:
  $ longwire dash http://127.0.0.1:3001 --record monday.ndjson`,
    )
    .action((words: string[], options: DashOptions) =>
      run((context) => dash(context, words, options)),
    );
};

async function dash(
  context: Context,
  words: readonly string[],
  options: DashOptions,
): Promise<ExitCode> {
  const port = readPort(options.port);
  checkOptions(context, words, options);
  const shown =
    options.replay === undefined
      ? await showServers(context, words, options)
      : await showRecording(context, options.replay);
  try {
    const { servePage } = await import('../dash/page-server.js');
    await using page = await servePage(shown.source, port === undefined ? {} : { port });
    if (context.options.json) context.terminal.json({ url: page.url }, { lines: true });
    else context.terminal.print(`The page is at ${page.url}`);
    context.terminal.remark('Ctrl-C ends it.');
    if (options.open && context.terminal.interactive) {
      const { openBrowser } = await import('../dash/open-browser.js');
      openBrowser(page.createLaunchUrl(), context.env);
    }
    await untilInterrupted(context);
    return 130;
  } finally {
    await shown.close();
  }
}

/** What the page shows, with all that has to be closed after it. */
interface Shown {
  readonly source: PageSource;
  close(): Promise<void>;
}

async function showRecording(
  { cwd, terminal, interruptions }: Context,
  file: string,
): Promise<Shown> {
  const { Replay } = await import('../dash/replay.js');
  terminal.showLive(`reading ${file}`);
  try {
    const source = await Replay.open(resolve(cwd, file), interruptions.signal);
    const { lines, unread } = source.size;
    const leftOut = unread === 0 ? '' : `; ${unread} are left out, which are no lines of one`;
    terminal.remark(sanitizeLine(`${file} has ${lines} lines${leftOut}.`));
    return { source, close: () => source.close() };
  } finally {
    terminal.stopLive();
  }
}

async function showServers(
  context: Context,
  words: readonly string[],
  { demo = false, record }: DashOptions,
): Promise<Shown> {
  const { redactor, terminal } = context;
  const [{ Live }, { RecordingFile }] = await Promise.all([
    import('../dash/live.js'),
    import('../dash/recording-file.js'),
  ]);
  const chosen = demo ? [] : await choose(context, words);
  const file =
    record === undefined
      ? undefined
      : await RecordingFile.create(resolve(context.cwd, record), {
          onFailure: (error) =>
            terminal.error(`error: ${sanitizeLine(`${record} ends here: ${error.message}`)}`),
        });
  const live = new Live({
    redact: (value) => redactor.value(value),
    ...(file !== undefined && { onLine: (text) => file.write(text) }),
  });
  const serving = demo ? await import('../dash/demo/serve-servers.js') : undefined;
  const demoServers = await serving?.serveDemoServers();
  const clients: LongwireClient[] = [];
  const close = async (): Promise<void> => {
    await live.close();
    await closeClients(clients);
    await Promise.all([file?.close(), demoServers?.close()]);
  };
  try {
    const names = serverNames(
      chosen.map(({ target }) => target),
      chosen.map(({ config }) => config?.name),
    );
    for (const [index, server] of chosen.entries()) {
      const name = names[index] ?? '';
      const settings = { name, retry, middleware: [live.middleware(name)] };
      const own = { ...context, requests: { credentials: 'none' as const } };
      const client = await createServerClient(own, server, settings);
      clients.push(client);
      live.add(name, client, redactor.message(sanitizeLine(writtenTarget(server.target))));
    }
    for (const { name, url } of demoServers?.servers ?? []) {
      const settings = { name, retry, middleware: [live.middleware(name)], trusted: true };
      const client = createTargetClient(context, url, settings);
      clients.push(client);
      live.add(name, client, url);
    }
    followClients(context, clients, { several: true });
    return { source: live, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The servers that the words name; without words, those of the configuration, else `MCP_SERVER_URL`. */
async function choose(
  context: Context,
  words: readonly string[],
): Promise<Awaited<ReturnType<typeof chooseServers>>> {
  const isOpen = words.length === 0 && context.command === undefined;
  const hasConfiguration = isOpen && (await readConfiguration(context)) !== undefined;
  const unusable: [string, unknown][] = [];
  const onAll = (all: AllServers): void => {
    tellSkipped(context, all);
    unusable.push(...all.unusable);
  };
  const servers = await chooseServers(hasConfiguration ? [allServers] : words, context, onAll);
  if (servers.length === 0 && unusable[0] !== undefined) throw unusable[0][1];
  if (servers.length === 0) throw usageError('there is no server to show', { code: 'config' });
  for (const [name, error] of unusable) {
    const why = `${name} is left out: ${summaryOf(error)}`;
    context.terminal.remark(context.redactor.message(sanitizeLine(why)));
  }
  return servers;
}

/** @throws LongwireError (usage) for options that say different things. */
function checkOptions(
  context: Context,
  words: readonly string[],
  { demo = false, record, replay }: DashOptions,
): void {
  if (demo && replay !== undefined) throw usageError('--demo and --replay: leave one of them out');
  const brings = demo ? '--demo brings servers of its own' : '--replay shows no servers';
  if (demo || replay !== undefined) {
    refuseCommand(context);
    if (words.length > 0) throw usageError(`${brings}: leave out "${words.join(' ')}"`);
  }
  if (replay !== undefined && record !== undefined) {
    throw usageError('--record is for what happens now, and --replay for what was: leave one out');
  }
}

function readPort(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const port = /^\d{1,5}$/.test(word) ? Number(word) : NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw usageError(`--port "${word}" is not a port: write a number up to 65535`);
}

function untilInterrupted({ interruptions: { signal } }: Context): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
