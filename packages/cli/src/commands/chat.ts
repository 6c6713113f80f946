import type { Agent, UserBlock } from '@longwire/agent';
import { LongwireError, type LongwireClient } from '@longwire/client';
import { createGroup } from '@longwire/client/group';
import { didYouMean } from '@longwire/client/internal';
import type { Servers } from '../chat/servers.js';
import { allServers, chooseServers } from '../choose-servers.js';
import { CommandError, usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import { hasClaudeKey, howToSetKey, warnOfEnvironment } from '../environment.js';
import { exitCodeOf, type ExitCode } from '../exit-codes.js';
import { tellSkipped } from '../look-at.js';
import { collect, targetsArgument } from '../options.js';
import { reportError } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';
import { MediaFolder } from '../save-media.js';
import { addServerRequestOptions, type ServerRequestOptions } from '../server-requests/options.js';
import { closeClients, connectClients } from '../session.js';
import { createServerClient } from '../target-client.js';
import { serverNames, type Server, type Target } from '../target.js';

interface ChatOptions extends ServerRequestOptions {
  prompt?: string;
  model?: string;
  trust?: string[];
  allowMissing?: boolean;
}

const examples = `
Examples:
  $ longwire chat http://127.0.0.1:3001/sse
  $ longwire chat http://127.0.0.1:3001/sse -p "How did AAPL do today?" --yes
  $ longwire chat http://127.0.0.1:3001/sse http://127.0.0.1:3002/mcp --trust 127.0.0.1:3001
  $ git diff | longwire chat files -p "Which file of files explains this?"
  $ longwire chat @all -p "What is new?" --allow-missing
  $ longwire chat http://127.0.0.1:3001/sse -- npx -y @modelcontextprotocol/server-everything`;

/** `longwire chat [target …]` */
export const addChat: AddCommand = (program, run) => {
  const command = program
    .command('chat')
    .description('Claude, with the tools of all the targets')
    .argument(...targetsArgument)
    .option('-p, --prompt <question>', 'answer this and exit')
    .option('--model <name>', 'the model (default: ANTHROPIC_MODEL, else claude-sonnet-5-5)')
    .option('-y, --yes', 'ask nobody before tools are called, and before --allow-sampling')
    .option(
      '--trust <server>',
      'believe what a server of the targets says of its tools: those that only read, or destroy nothing, are called without asking (repeatable)',
      collect,
    )
    .option(
      '--allow-missing',
      'with -p: continue without servers that cannot be used, as the prompt does',
    );
  addServerRequestOptions(command)
    .addHelpText('after', examples)
    .action((words: string[], options: ChatOptions) =>
      run((context) => chat(context, words, options)),
    );
};

async function chat(context: Context, words: string[], options: ChatOptions): Promise<ExitCode> {
  const { prompt, model } = options;
  // A single question is answered with all of the tools, unless the user allows less.
  const allowsMissing = prompt === undefined || options.allowMissing === true;
  const { converse } = await import('../chat/converse.js');
  const { readPiped } = await import('../chat/piped-input.js');
  if (prompt === undefined && context.options.json) {
    throw usageError('--json wants a question: chat -p "…" --json');
  }
  if (prompt !== undefined && prompt.trim() === '') throw usageError('-p wants a question');
  warnOfEnvironment(context, 'ANTHROPIC_BASE_URL');
  if (prompt !== undefined && !hasClaudeKey(context.environment)) {
    throw usageError(`Claude needs a key: ${howToSetKey}`, { code: 'config' });
  }
  // It comes while the servers are connected.
  const piped = prompt === undefined ? undefined : readPiped(context);
  piped?.catch(() => undefined);
  const missing: string[] = [];
  const continueWithout = (name: string, error: unknown): void => {
    missing.push(name);
    reportError(error, exitCodeOf(error), { ...context, server: sanitizeLine(name) });
  };
  const chosen = await chooseServers(words, context, (all) => {
    tellSkipped(context, all);
    for (const [name, error] of all.unusable) continueWithout(name, error);
  });
  if (chosen.length === 0) {
    throw usageError(`${allServers} leaves nobody to chat with`, { code: 'config' });
  }
  const targets = chosen.map(({ target }) => target);
  const { Servers } = await import('../chat/servers.js');
  const { startAgent } = await import('../chat/start-agent.js');
  const names = serverNames(
    targets,
    chosen.map(({ config }) => config?.name),
  );
  const trusted = trustedServers(options.trust ?? [], targets, names);
  const used: { server: Server; client: LongwireClient }[] = [];
  for (const [index, server] of chosen.entries()) {
    const name = names[index];
    try {
      const given = { name, trusted: trusted.has(index), mayAsk: options };
      used.push({ server, client: await createServerClient(context, server, given) });
    } catch (error) {
      // A server that was named is required.
      if (!allowsMissing || name === undefined || words.includes(name)) throw error;
      continueWithout(name, error);
    }
  }
  const clients = used.map(({ client }) => client);
  // A group of one applies the file's selection of tools, and reports when the server is away.
  const sources = used.map(({ client, server }) => {
    const { override = {} } = server.config?.tools ?? {};
    const tools = { override };
    return createGroup([{ name: client.name, client, tools, lazy: true }], { name: client.name });
  });
  let agent: Agent | undefined;
  try {
    agent = startAgent(context, sources, { model, yes: options.yes });
    const handlers = {
      onFailure: (client: LongwireClient, error: unknown) => continueWithout(client.name, error),
      // At the prompt a server may come later; one question is asked of all that come at all.
      ...(prompt === undefined && {
        onLate: ({ name }: LongwireClient) =>
          context.terminal.remark(sanitizeLine(`${name} is still connecting.`)),
      }),
    };
    try {
      await connectClients(context, clients, allowsMissing ? handlers : undefined);
    } catch (error) {
      const hasOthers = !allowsMissing && clients.some(({ state }) => state.name === 'ready');
      throw hasOthers ? withoutOne(error) : error;
    }
    const servers = new Servers(context, clients);
    for (const name of missing) servers.notes.knownMissing(name);
    if (prompt !== undefined && agent !== undefined) {
      return await answerOnce(context, agent, servers, {
        question: prompt,
        piped: (await piped) ?? [],
        missing,
      });
    }
    return await converse(context, servers, agent);
  } finally {
    agent?.close();
    await Promise.all(sources.map((source) => source.close()));
    await closeClients(clients);
  }
}

/** The same error, with a hint how to continue without that server. */
function withoutOne(error: unknown): unknown {
  if (!(error instanceof LongwireError)) return error;
  const { code, certainty } = error;
  const message = `${error.message}; --allow-missing continues with the other servers`;
  return new CommandError(message, { code, certainty, cause: error });
}

/** Which servers are trusted, by their names or as they were written. */
function trustedServers(
  words: readonly string[],
  targets: readonly Target[],
  names: readonly string[],
): ReadonlySet<number> {
  return new Set(
    words.map((word) => {
      const byName = names.indexOf(word);
      const index = byName === -1 ? targets.indexOf(word) : byName;
      if (index !== -1) return index;
      const guess = didYouMean(word, names) || ` There are ${names.join(', ')}.`;
      throw usageError(`--trust "${word}" is none of the servers of this chat.${guess}`);
    }),
  );
}

/** `-p`: one question, its answer on stdout. */
async function answerOnce(
  context: Context,
  agent: Agent,
  servers: Servers,
  {
    question,
    piped,
    missing,
  }: { question: string; piped: readonly UserBlock[]; missing: readonly string[] },
): Promise<ExitCode> {
  const { runTurn } = await import('../chat/turn.js');
  const { terminal, options, interruptions } = context;
  const { done, calls, exitCode } = await runTurn(context, {
    agent,
    servers,
    media: new MediaFolder(),
    question: [...piped, { type: 'text', text: question }],
    signal: interruptions.signal,
    answers: !options.json,
  });
  if (options.json) {
    const { text: answer, reason, usage } = done;
    const without = missing.length > 0 ? { missing } : {};
    terminal.json({ answer, reason, model: agent.model, calls, usage, ...without });
  }
  return exitCode;
}
