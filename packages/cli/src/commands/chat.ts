import type { Agent } from '@longwire/agent';
import type { Servers } from '../chat/servers.js';
import { usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { isCredential } from '../headers.js';
import { MediaFolder } from '../save-media.js';
import {
  closeClients,
  connectClients,
  createTargetClient,
  urlOf,
  warnOfEnvironment,
} from '../session.js';
import { checkTargetOptions } from '../target-options.js';
import { serverNames, type Target } from '../target.js';

interface ChatOptions {
  prompt?: string;
  model?: string;
  yes?: boolean;
}

const examples = `
Examples:
  $ longwire chat http://127.0.0.1:3001/sse
  $ longwire chat http://127.0.0.1:3001/sse -p "How did AAPL do today?" --yes
  $ longwire chat http://127.0.0.1:3001/sse http://127.0.0.1:3002/mcp
  $ longwire chat http://127.0.0.1:3001/sse -- npx -y @modelcontextprotocol/server-everything`;

/** `longwire chat [target …]` */
export const addChat: AddCommand = (program, run) => {
  program
    .command('chat')
    .description('Claude, with the tools of all the targets')
    .argument('[targets...]', 'URLs, and -- and a command after them (default: MCP_SERVER_URL)')
    .option('-p, --prompt <question>', 'answer this and exit')
    .option('--model <name>', 'the model (default: ANTHROPIC_MODEL, else claude-sonnet-5-5)')
    .option('-y, --yes', 'let Claude call tools that may change things without asking')
    .addHelpText('after', examples)
    .action((words: string[], options: ChatOptions) =>
      run((context) => chat(context, words, options)),
    );
};

async function chat(context: Context, words: string[], options: ChatOptions): Promise<ExitCode> {
  const { prompt, model } = options;
  const { howToSetKey, converse } = await import('../chat/converse.js');
  if (prompt === undefined && context.options.json) {
    throw usageError('--json wants a question: chat -p "…" --json');
  }
  if (prompt !== undefined && prompt.trim() === '') throw usageError('-p wants a question');
  warnOfEnvironment(context, 'ANTHROPIC_BASE_URL');
  if (prompt !== undefined && context.environment.anthropicApiKey === undefined) {
    throw usageError(`Claude needs a key: ${howToSetKey}`, { code: 'config' });
  }
  const targets = targetsOf(words, context);
  checkTargetOptions(targets, context.options);
  refuseSharedCredentials(targets, context);
  const { Servers } = await import('../chat/servers.js');
  const { startAgent } = await import('../chat/start-agent.js');
  const names = serverNames(targets);
  const clients = targets.map((target, index) =>
    createTargetClient(context, target, { name: names[index] }),
  );
  let agent: Agent | undefined;
  try {
    agent = startAgent(context, clients, { model, yes: options.yes });
    await connectClients(context, clients);
    const servers = new Servers(context, clients);
    if (prompt !== undefined && agent !== undefined) {
      return await answerOnce(context, agent, servers, prompt);
    }
    return await converse(context, servers, agent);
  } finally {
    agent?.close();
    await closeClients(clients);
  }
}

/** All that is named: URLs, and the command after `--`; else `MCP_SERVER_URL`. */
function targetsOf(words: readonly string[], context: Context): Target[] {
  const { command } = context;
  const urls = [...new Set(words)].map((word) => urlOf(word, context));
  if (command !== undefined) return [...urls, command];
  return urls.length > 0 ? urls : [urlOf(undefined, context)];
}

/** `--header` goes to every URL; what says who asks must not reach one that it is not meant for. */
function refuseSharedCredentials(targets: readonly Target[], { options }: Context): void {
  const urls = targets.filter((target) => typeof target === 'string');
  const origins = new Set(urls.map((url) => new URL(url).origin));
  const name = Object.keys(options.headers).find(isCredential);
  if (origins.size < 2 || name === undefined) return;
  throw usageError(
    `--header ${name} would go to ${origins.size} different servers: leave it out, or chat with one of them`,
  );
}

/** `-p`: one question, its answer on stdout. */
async function answerOnce(
  context: Context,
  agent: Agent,
  servers: Servers,
  question: string,
): Promise<ExitCode> {
  const { runTurn } = await import('../chat/turn.js');
  const { terminal, options, interruptions } = context;
  const { done, calls, exitCode } = await runTurn(context, {
    agent,
    servers,
    media: new MediaFolder(),
    question,
    signal: interruptions.signal,
    answers: !options.json,
  });
  if (options.json) {
    const { text: answer, reason, usage } = done;
    terminal.json({ answer, reason, model: agent.model, calls, usage });
  }
  return exitCode;
}
