import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { removeFolder } from '../../../support/remove-folder.ts';
import { until } from '../../../support/until.ts';
import { nodeOf } from '../../kit/support/prepare-clients.ts';
import { runClient } from '../../kit/support/run-client.ts';
import type { Era } from './eras.ts';
import { dispatchTo, MODERN } from './raw-dispatch.ts';
import { LONG_WORK, resultText, type TaskReport } from './task-report.ts';

const CREATED = z.looseObject({ task: z.looseObject({ taskId: z.string() }) });

/** `mcpdo` of the Inspector: one connection, and a command for each request. */
class Mcpdo implements AsyncDisposable {
  readonly #node: string;
  readonly #args: readonly string[];
  readonly #home: string;

  constructor(directory: string, home: string) {
    this.#node = nodeOf(directory);
    const program = 'node_modules/@modelcontextprotocol/inspector/clients/mcpdo/build/mcp-bin.js';
    this.#args = [join(directory, program), '--format', 'json'];
    this.#home = home;
  }

  /** What a command prints: its result, or its error. */
  async run(...args: string[]): Promise<Record<string, unknown>> {
    const all = [...this.#args, ...args];
    const printed = await runClient(this.#node, all, { home: this.#home }).catch(
      // A result that is an error is printed as any other, and ends it with a code.
      (error: unknown) => {
        const { stdout, stderr } = error as { stdout: string; stderr: string };
        return stdout === '' ? stderr : stdout;
      },
    );
    return JSON.parse(printed.slice(printed.search(/^\{/m))) as Record<string, unknown>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('daemon', 'stop');
  }
}

/** Lets the Inspector make tasks of every kind. */
export async function taskWithInspector(
  directory: string,
  url: string,
  era: Era,
): Promise<Omit<TaskReport, 'told' | 'other'>> {
  const home = await mkdtemp(join(tmpdir(), 'longwire-inspector-'));
  try {
    await using mcpdo = new Mcpdo(directory, home);
    const header = ['--header', 'authorization: Bearer ada'];
    await mcpdo.run('connect', url, ...header, '--era', era, '--connection', 'kit');
    const run = (...args: string[]): Promise<Record<string, unknown>> =>
      mcpdo.run('--connection', 'kit', ...args);
    // In the modern era the server decides.
    const asTask = era === 'legacy' ? ['--task'] : [];
    const text = async (name: string, ...args: string[]): Promise<string> =>
      textOf(await run('tools/call', name, ...args));

    const asked = (await run('tools/call', 'ask', ...asTask))['elicitationPending'] as {
      elicitationId: string;
      message: string;
    };
    const answered = await run('elicitation/respond', asked.elicitationId, 'name:=Ada');
    const taskId = await beginWork(url, era);
    await run('tasks/cancel', taskId);
    let cancelled = '';
    await until(async () => {
      const { task } = (await run('tasks/get', taskId)) as { task?: { status: string } };
      cancelled = task?.status ?? 'working';
      return cancelled !== 'working';
    });
    return {
      echo: await text('echo', 'message:=hé'),
      work: await text('work', 'steps:=5', 'stepMs:=100', ...asTask),
      only: await text('only', ...asTask),
      ask: textOf(answered),
      questions: [asked.message],
      fail: await text('fail', ...asTask),
      broken: await text('broken', ...asTask),
      cancelled,
    };
  } finally {
    await removeFolder(home);
  }
}

/** What the Inspector shows of the task whose first node dies. */
export async function surviveWithInspector(
  directory: string,
  url: string,
  era: Era,
  key: string,
): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'longwire-inspector-'));
  try {
    await using mcpdo = new Mcpdo(directory, home);
    const header = ['--header', 'authorization: Bearer ada'];
    await mcpdo.run('connect', url, ...header, '--era', era, '--connection', 'kit');
    const asTask = era === 'legacy' ? ['--task'] : [];
    const given = ['tools/call', 'survive', `key:=${key}`, ...asTask];
    return textOf(await mcpdo.run('--connection', 'kit', ...given));
  } finally {
    await removeFolder(home);
  }
}

/** A task of the same user, which the Inspector cancels: a command of it waits for its own. */
async function beginWork(url: string, era: Era): Promise<string> {
  const headers = { authorization: 'Bearer ada' };
  const params = { name: 'work', arguments: LONG_WORK };
  if (era === 'modern') {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': MODERN,
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '0' },
      'io.modelcontextprotocol/clientCapabilities': {
        extensions: { 'io.modelcontextprotocol/tasks': {} },
      },
    };
    const request = { method: 'tools/call', params: { ...params, _meta } };
    const answer = await dispatchTo(url, headers)(request);
    return (answer as unknown as { result: { taskId: string } }).result.taskId;
  }
  const client = new Client({ name: 'raw', version: '0' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  );
  const request = { method: 'tools/call', params: { ...params, task: {} } };
  const { task } = await client.request(request, CREATED);
  await client.close();
  return task.taskId;
}

function textOf(printed: Record<string, unknown>): string {
  const { error } = printed as { error?: { message: string } };
  return error?.message ?? resultText(printed);
}
