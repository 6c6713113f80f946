import { Command } from 'commander';
import { meantCommand } from './meant-command.js';
import type { AddCommand } from './context.js';
import { addCommonOptions } from './options.js';

/** The commands, in the order of the help. Each is loaded when it is named. */
const commands = {
  inspect: async () => (await import('./commands/inspect.js')).addInspect,
  tools: async () => (await import('./commands/tools.js')).addTools,
  resources: async () => (await import('./commands/resources.js')).addResources,
  prompts: async () => (await import('./commands/prompts.js')).addPrompts,
  read: async () => (await import('./commands/read.js')).addRead,
  prompt: async () => (await import('./commands/prompt.js')).addPrompt,
  complete: async () => (await import('./commands/complete.js')).addComplete,
  call: async () => (await import('./commands/call.js')).addCall,
  task: async () => (await import('./commands/task.js')).addTask,
  watch: async () => (await import('./commands/watch.js')).addWatch,
  run: async () => (await import('./commands/run.js')).addRun,
  check: async () => (await import('./commands/check.js')).addCheck,
  types: async () => (await import('./commands/types.js')).addTypes,
  doctor: async () => (await import('./commands/doctor.js')).addDoctor,
  servers: async () => (await import('./commands/servers.js')).addServers,
  shell: async () => (await import('./commands/shell.js')).addShell,
  login: async () => (await import('./commands/login.js')).addLogin,
  logout: async () => (await import('./commands/logout.js')).addLogout,
  whoami: async () => (await import('./commands/whoami.js')).addWhoami,
  chat: async () => (await import('./commands/chat.js')).addChat,
  dash: async () => (await import('./commands/dash.js')).addDash,
  top: async () => (await import('./commands/top.js')).addTop,
  worker: async () => (await import('./commands/worker.js')).addWorker,
  completion: async () => (await import('./commands/completion.js')).addCompletion,
  serve: async () => (await import('./commands/serve.js')).addServe,
  demo: async () => (await import('./commands/demo.js')).addDemo,
} satisfies Readonly<Record<string, () => Promise<AddCommand>>>;

/** The names of all commands. */
export const commandNames: readonly string[] = Object.keys(commands);

/** The command that is named; all of them where none is, or one that there is not. */
export async function loadCommands(args: readonly string[]): Promise<AddCommand[]> {
  const word = nameIn(args) ?? '';
  const meant = meantCommand(word);
  const named = Object.entries(commands).find(([name]) => name === meant);
  const wanted = named === undefined ? Object.values(commands) : [named[1]];
  const adding = await Promise.all(wanted.map((load) => load()));
  if (meant === word) return adding;
  return [...adding, (program) => void program.commands.at(-1)?.alias(word)];
}

/** The first word that is neither an option nor the value of one. */
function nameIn(args: readonly string[]): string | undefined {
  const options = new Command().exitOverride().configureOutput({ outputError: () => {} });
  addCommonOptions(options);
  try {
    return options.parseOptions([...args]).operands[0];
  } catch {
    // An option is wrong, which is said when the words are read.
    return undefined;
  }
}
