import type { Serving } from '@longwire/server';
import { chooseServer } from '../choose-servers.js';
import type { AddCommand, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { collect, targetArgument } from '../options.js';
import { sanitizeLine } from '../sanitize.js';
import type { WrittenSettings } from '../serve/settings.js';
import { closeClients, connectClients } from '../session.js';
import { createServerClient } from '../target-client.js';

/** `longwire serve [target]` */
export const addServe: AddCommand = (program, run) => {
  program
    .command('serve')
    .description('a gateway: put a server on HTTP, for clients of every age')
    .argument(...targetArgument)
    .option('--port <number>', 'where it listens (default: any free port)')
    .option('--host <address>', 'on which address (default: 127.0.0.1)')
    .option('--api-keys <file>', 'who may use it, by keys: JSON (default: everybody)')
    .option('--allowed-host <name>', 'a name that clients call it by (repeatable)', collect)
    .option('--trust-proxy <address>', 'of a proxy in front of it (repeatable)', collect)
    .option('--max-sessions <number>', 'at a time (default: 100 for a command)')
    .option('--page <principal>', 'who may watch: longwire top --page (repeatable)', collect)
    .option('--cluster <url>', 'be one of many nodes over this Redis (repeatable)', collect)
    .option('--cluster-prefix <text>', 'of its keys there, one for each server')
    .addHelpText(
      'after',
      `
A command after -- is started for each session, and ends with it. Goes on until
Ctrl-C, which lets calls finish; a second one cuts them.
--api-keys has [{ "principal": "ci", "sha256": "…" }], with the hash of the key:
printf %s KEY | sha256sum.

Examples:
  $ longwire serve --port 3001 -- npx -y some-server
  $ longwire serve https://example.com/mcp --header 'x-key: …' --api-keys keys.json`,
    )
    .action((word: string | undefined, options: WrittenSettings) =>
      run((context) => serveTarget(context, word, options)),
    );
};

async function serveTarget(
  context: Context,
  word: string | undefined,
  written: WrittenSettings,
): Promise<ExitCode> {
  const { terminal, options, redactor } = context;
  const server = await chooseServer(word, context);
  const { readSettings } = await import('../serve/settings.js');
  const settings = await readSettings(written, { target: server.target, context });
  // What cannot be reached is said now, and not to the first client.
  const client = await createServerClient(context, server);
  let name = client.name;
  try {
    await connectClients(context, [client]);
    name = sanitizeLine(client.server?.title ?? client.server?.name ?? '', 200) || name;
  } finally {
    await closeClients([client]);
  }
  const { serveGateway } = await import('../serve/serve-gateway.js');
  const serving = await serveGateway(context, server, settings);
  const { url, sseUrl } = serving;
  const pageUrl = settings.page && new URL('/page', url).href;
  if (options.json) terminal.json({ url, sseUrl, pageUrl }, { lines: true });
  else {
    terminal.print(`${redactor.message(name)} is served at ${url}`);
    terminal.print(`and, for clients that know only HTTP+SSE, at ${sseUrl}`);
    if (pageUrl !== undefined) terminal.print(`To watch it: longwire top --page ${pageUrl}`);
  }
  const isOpen = !['127.0.0.1', 'localhost', '::1'].includes(settings.host);
  if (isOpen && settings.auth === undefined) {
    terminal.remark('Whoever reaches it may use it: --api-keys says who.');
  }
  terminal.remark('Ctrl-C ends it.');
  return await untilStopped(context, serving);
}

/** Ctrl-C stops it without the delay for load balancers, and then cuts calls; a signal stops it in order. */
async function untilStopped({ interruptions }: Context, serving: Serving): Promise<ExitCode> {
  let isInterrupted = false;
  const interrupted = new Promise<void>((resolve) => {
    const release = interruptions.take(() => {
      if (isInterrupted) {
        release();
        void serving.close();
      }
      isInterrupted = true;
      resolve();
    });
  });
  await Promise.race([interrupted, interruptions.ended]);
  await serving.stop(isInterrupted ? { delayMs: 0 } : {});
  return isInterrupted ? 130 : 0;
}
