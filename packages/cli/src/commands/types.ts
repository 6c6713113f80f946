import type { Tool } from '@longwire/client';
import { chooseServers } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { tellSkipped } from '../look-at.js';
import { targetsArgument } from '../options.js';
import { closeClients, connectClients, operationOptions } from '../session.js';
import { createServerClient } from '../target-client.js';
import { serverNames } from '../target.js';
import { driftOf, type Drift } from '../types/drift.js';
import { driftLine } from '../types/print-drift.js';
import type { ListedServer } from '../types/server-types.js';
import { openTypesFile, writeTypesFile, type TypesFile } from '../types/types-file.js';
import { writeTypes, type WrittenTypes } from '../types/write-types.js';

interface TypesOptions {
  output?: string;
  check?: boolean;
  force?: boolean;
}

/** `longwire types [target …]` */
export const addTypes: AddCommand = (program, run) => {
  program
    .command('types')
    .description('write the tools of servers as types of TypeScript')
    .argument(...targetsArgument)
    .option('-o, --output <file>', 'write them to this .d.ts or .ts file (default: stdout)')
    .option('--check', 'write nothing: is the file what would be written? (exit code 1: no)')
    .option('--force', 'replace a file that longwire types did not make')
    .addHelpText(
      'after',
      `
A program takes them as connect<Tools>(…): names, arguments and structured
results of tools are checked. Of several servers, tools have the names that a
group gives them. A server that cannot be asked leaves the file as it was.

Examples:
  $ longwire types http://127.0.0.1:3001 -o tools.d.ts
  $ longwire types @all -o src/tools.ts
  $ longwire types @all -o src/tools.ts --check`,
    )
    .action((words: string[], options: TypesOptions) =>
      run((context) => types(context, words, options)),
    );
};

async function types(
  context: Context,
  words: readonly string[],
  { output, check = false, force = false }: TypesOptions,
): Promise<ExitCode> {
  const { cwd, redactor } = context;
  if (check && output === undefined) {
    throw usageError('--check compares with a file: name it with -o FILE');
  }
  const file = output === undefined ? undefined : openTypesFile(output, { cwd, force });
  const written = writeTypes(await listServers(context, words), {
    redact: (text) => redactor.message(text),
  });
  const drift = file?.text === undefined ? undefined : driftOf(file.text, written.text);
  const outcome: Outcome = { file, written, drift, isChecked: check };
  const isCurrent = drift?.length === 0;
  if (file !== undefined && !check && !isCurrent) writeTypesFile(file, written.text);
  if (context.options.json) context.terminal.json(asJson(outcome));
  else print(context, outcome);
  return check && !isCurrent ? 1 : 0;
}

interface Outcome {
  readonly file: TypesFile | undefined;
  readonly written: WrittenTypes;
  /** Compared with the file, if there is one. */
  readonly drift: readonly Drift[] | undefined;
  readonly isChecked: boolean;
}

/**
 * The tools of all servers, each under the name that a configuration gives it, else that which it gives
 * itself.
 *
 * @throws LongwireError of the first server that cannot be asked.
 */
async function listServers(context: Context, words: readonly string[]): Promise<ListedServer[]> {
  const unusable: unknown[] = [];
  const servers = await chooseServers(words, context, (all) => {
    tellSkipped(context, all);
    unusable.push(...all.unusable.values());
  });
  // Without one of them, the file would lose its tools.
  if (unusable.length > 0) throw unusable[0];
  const clients = await Promise.all(servers.map((server) => createServerClient(context, server)));
  try {
    await connectClients(context, clients);
    const lists = await Promise.all(
      clients.map((client): Promise<Tool[]> => client.listTools(operationOptions(context))),
    );
    const names = serverNames(
      servers.map(({ target }) => target),
      servers.map(({ config }, index) => config?.name ?? clients[index]?.server?.name),
    );
    return names.map((name, index) => ({ name, tools: lists[index] ?? [] }));
  } finally {
    await closeClients(clients);
  }
}

function print({ terminal }: Context, { file, written, drift, isChecked }: Outcome): void {
  if (file === undefined) return terminal.print(written.text.trimEnd());
  const { shown } = file;
  const tools = written.servers.reduce((sum, server) => sum + server.tools, 0);
  const counted = `${tools} ${tools === 1 ? 'tool' : 'tools'}`;
  if (drift?.length === 0) return terminal.remark(`${shown} is up to date (${counted}).`);
  if (!isChecked) return terminal.remark(`${counted} written to ${shown}.`);
  if (drift === undefined) {
    return terminal.remark(`${shown} is not there: longwire types without --check writes it.`);
  }
  for (const each of drift) terminal.print(driftLine(each));
  terminal.remark(`${shown} is not up to date: longwire types without --check writes it anew.`);
}

function asJson({ file, written, drift, isChecked }: Outcome): object {
  return {
    file: file?.path ?? null,
    upToDate: !isChecked || drift?.length === 0,
    servers: written.servers,
    drift: drift ?? [],
    ...(file === undefined && { text: written.text }),
  };
}
