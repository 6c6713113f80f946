import {
  DEFAULT_JSON_BOUNDS,
  parseExactJson,
  didYouMean,
  readTextFile,
} from '@longwire/client/internal';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  parseWorkflow,
  type DeadLetterEvent,
  type GivenEvent,
  type Workflow,
} from '@longwire/workflow';
import { namedServer } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { isJsonObject } from '../json-object.js';
import { checkTargetOptions } from '../target-options.js';
import { isTarget, parseTarget, type Server } from '../target.js';

/** The options of `longwire run`. */
export interface RunOptions {
  server?: string[];
  journal?: string;
  dryRun?: boolean;
  log?: string;
  deadLetter?: string;
  events?: string;
}

/**
 * Reads the workflow that the command line names.
 *
 * @throws LongwireError (usage) if it cannot be read; WorkflowError if it is wrong.
 */
export async function readWorkflow({ cwd }: Context, file: string): Promise<Workflow> {
  return parseWorkflow(readWorkflowText(resolve(cwd, file), file), { file });
}

/**
 * The servers of a run by name: those of the file, and those of `--server`, which win.
 *
 * @throws LongwireError (usage) if there is none, or one is no server.
 */
export async function serversOf(
  context: Context,
  workflow: Workflow,
  given: readonly string[],
): Promise<Record<string, Server>> {
  const { options, redactor, cwd, command } = context;
  if (command !== undefined) {
    throw usageError('run takes no command after --: name it under "servers" in the workflow');
  }
  const servers: Record<string, Server> = {};
  for (const [name, server] of Object.entries(workflow.servers)) {
    if (typeof server === 'string') {
      parseTarget(server, `${workflow.file}: servers.${name}`);
      servers[name] = { target: server };
      continue;
    }
    const { command: program, args = [], env = {}, cwd: directory = '' } = server;
    redactor.addCommand([program, ...args]);
    for (const [variable, value] of Object.entries(env)) redactor.addVariable(variable, value);
    servers[name] = { target: { ...server, cwd: resolve(cwd, directory) } };
  }
  for (const word of given) {
    const [, name, url] = /^([\w.-]+)=(.+)$/s.exec(word) ?? [];
    if (isTarget(word)) {
      throw usageError(`--server ${word} has no name: write name=url, as in market=${word}`);
    }
    if (name === undefined || url === undefined) {
      servers[word] = await namedServer(word, context);
    } else {
      parseTarget(url, `--server ${name}`);
      servers[name] = { target: url };
    }
  }
  const all = Object.values(servers);
  if (all.length === 0) {
    throw usageError(
      'the workflow has no servers: give --server name=url or a name of longwire.json, or name them ' +
        'under "servers" in the file',
      { code: 'config' },
    );
  }
  checkTargetOptions(all, options);
  return servers;
}

/** A line of a file of events: an event, or one to retry. */
export type EventLine = GivenEvent | DeadLetterEvent;

/**
 * Reads events: each line is `{ "name", "server", "id", "data", "params" }`, of which only the name is
 * required, or a line that `--dead-letter` or `--log` wrote.
 *
 * @throws LongwireError (usage) that names the line.
 */
export async function readEvents(
  { cwd }: Context,
  workflow: Workflow,
  file: string,
): Promise<EventLine[]> {
  const triggers = workflow.triggers.map(({ name }) => name);
  const text = await readText(resolve(cwd, file), file);
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const place = `${file}:${index + 1}`;
    const event = asEvent(line);
    if (event === undefined) {
      throw usageError(
        `${place}: not an event: write {"name": "…"}, and "server", "id", "data" and "params" where ` +
          'wanted, or give a line of a dead-letter file as it is',
      );
    }
    if ('event' in event && event.trigger !== undefined && !triggers.includes(event.trigger)) {
      const hint = didYouMean(event.trigger, triggers) || ` There are ${triggers.join(', ')}.`;
      throw usageError(`${place}: ${workflow.file} has no trigger "${event.trigger}".${hint}`);
    }
    return [event];
  });
}

function asEvent(line: string): EventLine | undefined {
  let value: unknown;
  try {
    value = parseExactJson(line, DEFAULT_JSON_BOUNDS);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  return isJsonObject(value['event']) ? asLetter(value, value['event']) : asGiven(value);
}

function asGiven({
  name,
  server,
  id,
  data,
  params,
}: Record<string, unknown>): GivenEvent | undefined {
  if (typeof name !== 'string' || !isText(server) || !isText(id)) return undefined;
  if (params !== undefined && !isJsonObject(params)) return undefined;
  return {
    name,
    ...(data !== undefined && { data }),
    ...(server !== undefined && { server }),
    ...(id !== undefined && { id }),
    ...(params !== undefined && { params }),
  };
}

function asLetter(
  { trigger, run }: Record<string, unknown>,
  { name, server, id, at, data, params }: Record<string, unknown>,
): DeadLetterEvent | undefined {
  if (!isText(trigger) || !isText(run) || !isJsonObject(params)) return undefined;
  if (typeof name !== 'string' || typeof server !== 'string') return undefined;
  if (typeof id !== 'string' || typeof at !== 'string') return undefined;
  return {
    event: { name, server, id, at, data, params },
    ...(trigger !== undefined && { trigger }),
    ...(run !== undefined && { run }),
  };
}

function isText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function readWorkflowText(path: string, shown: string): string {
  try {
    return readTextFile(path);
  } catch (error) {
    throw usageError(`${shown} could not be read: ${(error as Error).message}`, { cause: error });
  }
}

async function readText(path: string, shown: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw usageError(`${shown} could not be read: ${reason}`, { cause: error });
  }
}
