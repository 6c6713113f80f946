import type { LongwireClient } from '@longwire/client';
import { Servers } from '../chat/servers.js';
import type { ConnectedServer, Context } from '../context.js';
import { fit } from '../display-width.js';
import { createLineReader } from '../editor/create-line-reader.js';
import { promptLoop } from '../editor/prompt-loop.js';
import type { ExitCode } from '../exit-codes.js';
import { sanitizeLine } from '../sanitize.js';
import { askForLogs } from '../server-logs.js';
import { operationOptions } from '../session.js';
import { createCompletion } from './completion.js';
import { News } from './news.js';
import { Session } from './session.js';
import type { SessionTrace } from './session-trace.js';

/** A longer name would leave no room for the line, in columns. */
const maxPromptWidth = 16;

/** A session at the prompt, or of the lines of a pipe, with servers that are connected. It ends with the input. */
export async function holdSession(
  context: Context,
  { servers: connected, trace }: { servers: readonly ConnectedServer[]; trace: SessionTrace },
): Promise<ExitCode> {
  const { terminal, stdin } = context;
  const clients = connected.map(({ client }) => client);
  const servers = new Servers(context, clients, { listing: '`tools`' });
  const news = new News(context, clients);
  if (stdin.isTTY === true) {
    for (const client of clients) terminal.remark(greeting(client));
    terminal.remark('help lists the commands; Tab completes.');
  }
  for (const client of clients) {
    askForLogs(context, client, operationOptions(context)).catch(() => undefined);
  }
  // For completion, and lines that name a tool; whoever needs the list asks again and gets the error.
  const listed = servers.listTools().catch(() => undefined);
  const session = new Session(context, { connected, servers, listed, news, trace });
  const [only, other] = clients;
  const name = only === undefined || other !== undefined ? 'longwire' : only.name;
  const reader = createLineReader(context, {
    prompt: `${fit(sanitizeLine(name), maxPromptWidth)}> `,
    complete: createCompletion({
      clients,
      tools: async (client, signal) => {
        const lists = await servers.listTools(signal, client === undefined ? clients : [client]);
        return lists.flatMap(({ tools }) => tools);
      },
      taskIds: (client) =>
        connected
          .filter((each) => client === undefined || each.client === client)
          .flatMap(({ taskIds }) => [...taskIds]),
    }),
    history: 'shell',
    editWord: 'edit',
  });
  return await promptLoop(context, reader, {
    answer: (line, signal) => session.run(line, signal),
    quitWord: 'quit',
    exitCode: 'first-failure',
  });
}

function greeting({ name, state, server }: LongwireClient): string {
  const told = [server?.title ?? server?.name, server?.version].filter(Boolean).join(' ');
  const where = state.name === 'ready' ? state.transport : state.name;
  return sanitizeLine(`${name}: ${told.slice(0, 200) || 'no name told'}, ${where}`);
}
