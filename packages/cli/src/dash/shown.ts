import { resolve } from 'node:path';
import type { LongwireClient } from '@longwire/client';
import { allServers, chooseServers } from '../choose-servers.js';
import type { AllServers } from '../target.js';
import { usageError } from '../command-error.js';
import { readConfiguration } from '../configuration.js';
import type { Context } from '../context.js';
import type { TargetAuth } from '../login/target-auth.js';
import type { Redactor } from '../redact.js';
import { tellSkipped } from '../look-at.js';
import { summaryOf } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { closeClients, followClients } from '../session.js';
import { createServerClient, createTargetClient } from '../target-client.js';
import { serverNames, writtenTarget, type Server } from '../target.js';
import type { PageSource } from './page-source.js';

/** A server that is shown is awaited without limit, from the beginning. */
const retry = { maxAttempts: Infinity, firstConnect: true };

/** What is shown, with all that has to be closed after it. */
export interface Shown {
  readonly source: PageSource;
  close(): Promise<void>;
}

/** A recording, as its file has it. It is read through while it is shown, and a remark says what it has. */
export async function showRecording({ cwd, terminal }: Context, file: string): Promise<Shown> {
  const { Replay } = await import('./replay.js');
  const source = await Replay.open(resolve(cwd, file));
  let isOpen = true;
  const told = source.whole.then(
    () => {
      const { lines, unread } = source.size;
      const leftOut = unread === 0 ? '' : `; ${unread} are left out, which are no lines of one`;
      if (isOpen) terminal.remark(sanitizeLine(`${file} has ${lines} lines${leftOut}.`));
    },
    (error: Error) => {
      terminal.error(
        sanitizeLine(`error: ${file} is shown until where it is read: ${error.message}`),
      );
    },
  );
  const close = async (): Promise<void> => {
    isOpen = false;
    await source.close();
    await told;
  };
  return { source, close };
}

/** Which servers are shown, beside those that are named, and what becomes of what they do. */
export interface ServersOptions {
  /** Show the embedded servers of the demo. */
  demo?: boolean;
  /** Write down all that happens, to this file. */
  record?: string;
  /** Replaces that file where it is there. */
  force?: boolean;
  /** The file of the page's checks. Default `longwire.checks.json`. */
  checks?: string;
}

/** Servers as they are: those that the words name, else those of the configuration. */
export async function showServers(
  context: Context,
  words: readonly string[],
  {
    demo = false,
    record,
    force = false,
    checks: checksFile = 'longwire.checks.json',
  }: ServersOptions,
): Promise<Shown> {
  const { redactor, terminal } = context;
  const [{ Live }, { RecordingFile }, { PageChecks }] = await Promise.all([
    import('./live.js'),
    import('./recording-file.js'),
    import('./page-checks.js'),
  ]);
  const chosen = demo ? [] : await choose(context, words);
  const file =
    record === undefined
      ? undefined
      : await RecordingFile.create(resolve(context.cwd, record), {
          force,
          onFailure: (error) =>
            terminal.error(`error: ${sanitizeLine(`${record} ends here: ${error.message}`)}`),
        });
  const checks = new PageChecks(resolve(context.cwd, checksFile));
  const live = new Live({
    checks,
    redact: (value) => redactor.value(value),
    ...(file !== undefined && { onLine: (text) => file.write(text) }),
  });
  const serving = demo ? await import('./demo/serve-servers.js') : undefined;
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
      const settings = {
        name,
        retry,
        middleware: [live.middleware(name)],
        wrapAuth: (auth: Required<TargetAuth>) => live.auth(name, auth),
      };
      const own = { ...context, requests: { credentials: 'none' as const } };
      const client = await createServerClient(own, server, settings);
      clients.push(client);
      live.add(name, client, redactor.message(sanitizeLine(writtenTarget(server.target))));
      checks.addServer(name, writtenInChecks(server, { name, redactor }));
    }
    for (const { name, url } of demoServers?.servers ?? []) {
      const middleware = [live.middleware(name)];
      // They are in this process.
      const settings = { name, retry, middleware, trusted: true, network: {} };
      const client = createTargetClient(context, url, settings);
      clients.push(client);
      live.add(name, client, url);
      checks.addServer(name, name);
    }
    followClients(context, clients, { several: true });
    return { source: live, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a check calls a server: as the user would, but for a URL with a secret, and a command. */
function writtenInChecks(
  { target, config }: Server,
  { name, redactor }: { name: string; redactor: Redactor },
): string {
  if (config !== undefined || typeof target !== 'string') return name;
  return redactor.message(target) === target ? target : name;
}

/** The servers that the words name; without words, those of the configuration, else `MCP_SERVER_URL`. */
async function choose(
  context: Context,
  words: readonly string[],
): Promise<Awaited<ReturnType<typeof chooseServers>>> {
  const isOpen = words.length === 0 && context.command === undefined;
  const hasConfiguration = isOpen && (await readConfiguration(context)) !== undefined;
  if (isOpen && !hasConfiguration && context.environment.serverUrl === undefined) {
    throw usageError(
      'no server given: write its URL, or -- and the command that starts it, or name servers in longwire.json; --demo brings some',
      { code: 'config' },
    );
  }
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
