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
  targetOf,
  warnOfEnvironment,
} from '../session.js';
import { serverNames } from '../target.js';

interface ChatOptions {
  prompt?: string;
  model?: string;
  yes?: boolean;
}

const examples = `
Examples:
  $ longwire chat http://127.0.0.1:3001/sse
  $ longwire chat http://127.0.0.1:3001/sse -p "How did AAPL do today?" --yes
  $ longwire chat http://127.0.0.1:3001/sse http://127.0.0.1:3002/sse`;

/** `longwire chat [target …]` */
export const addChat: AddCommand = (program, run) => {
  program
    .command('chat')
    .description('Claude, with the tools of all the targets')
    .argument('[targets...]', 'URLs of the servers (default: MCP_SERVER_URL)')
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
  const targets =
    words.length === 0
      ? [targetOf(undefined, context)]
      : [...new Set(words)].map((word) => targetOf(word, context));
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

/** `--header` goes to every target; what says who asks must not reach one that it is not meant for. */
function refuseSharedCredentials(targets: readonly string[], { options }: Context): void {
  const origins = new Set(targets.map((target) => new URL(target).origin));
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
