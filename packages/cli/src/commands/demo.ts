import { usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import { hasClaudeKey, warnOfEnvironment } from '../environment.js';
import type { ExitCode } from '../exit-codes.js';
import { MediaFolder } from '../save-media.js';
import { imageDrawer } from '../terminal-images.js';
import { closeClients, connectClients } from '../session.js';
import { createTargetClient } from '../target-client.js';
import { checkTargetOptions } from '../target-options.js';

/** `longwire demo` */
export const addDemo: AddCommand = (program, run) => {
  program
    .command('demo')
    .description('an embedded server and a tour of it: the main job with nothing to configure')
    .option('--model <name>', 'the model to chat with after the tour')
    .option('-y, --yes', 'let Claude call tools that may change things without asking')
    .addHelpText('after', '\nExample:\n  $ longwire demo')
    .action((options: { model?: string; yes?: boolean }) =>
      run((context) => demo(context, options)),
    );
};

async function demo(
  context: Context,
  options: { model?: string; yes?: boolean },
): Promise<ExitCode> {
  const { terminal, stdin, options: common } = context;
  if (context.command !== undefined) {
    throw usageError('demo brings a server of its own: leave out what comes after --');
  }
  if (common.json) throw usageError('demo is for people and has no --json');
  const [{ serveDemo }, { tour }] = await Promise.all([
    import('../demo/serve-demo.js'),
    import('../demo/tour.js'),
  ]);
  const serving = await serveDemo();
  const client = createTargetClient(context, serving.url, {
    name: 'demo',
    trusted: true,
    // It is in this process.
    network: {},
  });
  try {
    checkTargetOptions([{ target: serving.url }], common);
    terminal.print(`An MCP server of this demo's own listens at ${serving.url}`);
    await connectClients(context, [client]);
    const { url: target, cut } = serving;
    await tour(context, client, { target, media: new MediaFolder(imageDrawer(context)), cut });
    terminal.print(
      `\nThat was the tour. Try it on a server of yours: longwire inspect <url>, or longwire inspect -- <command>`,
    );
    const isTerminal = stdin.isTTY === true && terminal.interactive;
    if (!isTerminal && !hasClaudeKey(context.environment)) return 0;
    return await converseAfterTour(context, client, options);
  } finally {
    await closeClients([client]);
    await serving.close();
  }
}

async function converseAfterTour(
  context: Context,
  client: ReturnType<typeof createTargetClient>,
  options: { model?: string; yes?: boolean },
): Promise<ExitCode> {
  const [{ converse }, { startAgent }, { Servers }] = await Promise.all([
    import('../chat/converse.js'),
    import('../chat/start-agent.js'),
    import('../chat/servers.js'),
  ]);
  warnOfEnvironment(context, 'ANTHROPIC_BASE_URL');
  context.terminal.print();
  const agent = startAgent(context, [client], options);
  try {
    return await converse(context, new Servers(context, [client]), agent);
  } finally {
    agent?.close();
  }
}
