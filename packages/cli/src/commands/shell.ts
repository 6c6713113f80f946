import type { LongwireClient } from '@longwire/client';
import { chooseServers } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { AddCommand, ConnectedServer, Context } from '../context.js';
import { exitCodeOf, type ExitCode } from '../exit-codes.js';
import { tellSkipped } from '../look-at.js';
import { targetsArgument } from '../options.js';
import { addServerRequestOptions, type ServerRequestOptions } from '../server-requests/options.js';
import { reportError } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { closeClients, connectClients } from '../session.js';
import { createServerClient } from '../target-client.js';
import { serverNames } from '../target.js';

const examples = `
Examples:
  $ longwire shell http://127.0.0.1:3001/sse
  $ longwire shell files search                       (names of longwire servers)
  $ printf 'tools\\necho message=hi\\n' | longwire shell http://127.0.0.1:3001

Lines of a pipe all run; the first that fails decides the exit code.`;

/** `longwire shell [target …]` */
export const addShell: AddCommand = (program, run) => {
  const command = program
    .command('shell')
    .description('a session: call, read and watch over one connection')
    .argument(...targetsArgument);
  addServerRequestOptions(command)
    .addHelpText('after', examples)
    .action((words: string[], mayAsk: ServerRequestOptions) =>
      run((context) => shell(context, words, mayAsk)),
    );
};

async function shell(
  context: Context,
  words: readonly string[],
  mayAsk: ServerRequestOptions,
): Promise<ExitCode> {
  if (context.options.json) {
    throw usageError('--json belongs to a line of the session: call TOOL name=value --json');
  }
  const failed = (name: string, error: unknown): void =>
    reportError(error, exitCodeOf(error), { ...context, server: sanitizeLine(name) });
  const chosen = await chooseServers(words, context, (all) => {
    tellSkipped(context, all);
    for (const [name, error] of all.unusable) failed(name, error);
  });
  const targets = chosen.map(({ target }) => target);
  const names = serverNames(
    targets,
    chosen.map(({ config }) => config?.name),
  );
  const [{ SessionTrace }, { openTrace }] = await Promise.all([
    import('../shell/session-trace.js'),
    import('../trace/open-trace.js'),
  ]);
  const trace = new SessionTrace(context.trace ?? (await openTrace('', context)), {
    isOn: context.trace !== undefined,
  });
  const servers: ConnectedServer[] = [];
  try {
    for (const [index, server] of chosen.entries()) {
      const client = await createServerClient({ ...context, trace }, server, {
        name: names[index],
        mayAsk,
      });
      servers.push({ client, target: server.target, taskIds: new Set() });
    }
    const clients = servers.map(({ client }) => client);
    await connectClients(context, clients, {
      onFailure: ({ name }: LongwireClient, error) => failed(name, error),
      onLate: ({ name }) => context.terminal.remark(sanitizeLine(`${name} is still connecting.`)),
    });
    const { holdSession } = await import('../shell/hold-session.js');
    return await holdSession(context, { servers, trace });
  } finally {
    await closeClients(servers.map(({ client }) => client));
  }
}
