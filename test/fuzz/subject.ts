/**
 * The library in a process of its own: it meets the server of one case after the other, as it is
 * told, and says how that went. To stdout and stderr it writes nothing but the end of a case.
 */
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, LongwireError, type LongwireClient } from '@longwire/client';
import { BlockWatch } from './block-watch.ts';
import { HARD_TEXT } from './fuzz-case.ts';
import { CONNECT_MS, DEADLINE_MS, TIMEOUT_MS } from './limits.ts';
import {
  END_OF_OUTPUT,
  type Assignment,
  type ReportedError,
  type SubjectMessage,
} from './report.ts';

const CLOSING_MS = 3000;
const LIMITS = { timeoutMs: TIMEOUT_MS, deadlineMs: DEADLINE_MS };
const PROTOTYPE_MEMBERS = Object.getOwnPropertyNames(Object.prototype).length;

for (const event of ['unhandledRejection', 'uncaughtException', 'warning'] as const) {
  process.on(event, (reason: unknown) => {
    const text = reason instanceof Error ? reason.stack : String(reason);
    tell({ type: 'unhandled', reason: `${event}: ${text}` });
  });
}

const watch = new BlockWatch();
process.on('message', (assignment: Assignment) => void meet(assignment));
process.on('disconnect', () => process.exit());
// What is loaded with the first connection looks at them, which opens them.
void [process.stdout, process.stderr];
const openBefore = countOpen();
tell({ type: 'ready' });

async function meet({ target, listens }: Assignment): Promise<void> {
  watch.take();
  const client = createClient(target, {
    timeouts: { connectMs: CONNECT_MS },
    retry: { maxAttempts: 2, firstDelayMs: 10, maxDelayMs: 50 },
    handlers: {
      roots: () => [],
      sampling: () => ({ role: 'assistant', model: 'x', content: { type: 'text', text: 'x' } }),
      elicitation: () => ({ action: 'accept', content: { text: HARD_TEXT } }),
    },
  });
  client.on('error', (error) => {
    if (error instanceof LongwireError) return;
    tell({ type: 'unhandled', reason: `error event: ${String(error)}` });
  });
  if (listens) client.on('notification', () => {});
  if (await run('connect', () => client.connect())) await use(client);
  await run('close', () => client.close());
  const leftOpen = await leftAfterClosing();
  // Before the collection, which blocks by itself.
  const watched = watch.take();
  globalThis.gc?.();
  for (const descriptor of [1, 2]) writeSync(descriptor, END_OF_OUTPUT);
  tell({
    type: 'done',
    ...watched,
    heapBytes: process.memoryUsage().heapUsed,
    leftOpen,
    isPolluted: Object.getOwnPropertyNames(Object.prototype).length !== PROTOTYPE_MEMBERS,
  });
}

async function use(client: LongwireClient): Promise<void> {
  await Promise.all([
    run('listTools', () => client.listTools(LIMITS), namedList),
    run('listResources', () => client.listResources(LIMITS), aList),
    run('listResourceTemplates', () => client.listResourceTemplates(LIMITS), aList),
    run('listPrompts', () => client.listPrompts(LIMITS), namedList),
  ]);
  const args = { text: HARD_TEXT };
  await Promise.all([
    run('callTool', () => client.callTool('echo', args, LIMITS), aCallResult),
    run('callTool write', () => client.callTool('write', args, LIMITS), aCallResult),
    run('callTool long', () => client.callTool('long', args, LIMITS), aCallResult),
    run('task status', () => client.task('task-1').status(LIMITS)),
    run('task result', () => client.task('task-1').result(LIMITS), aCallResult),
    run('task cancel', () => client.task('task-2').cancel(LIMITS)),
    run('stream', async () => {
      for await (const _ of client.stream('plain', {}, LIMITS));
    }),
    run('readResource', () => client.readResource('note:1', LIMITS)),
    run('getPrompt', () => client.getPrompt('greet', { who: 'x' }, LIMITS)),
    run('setLogLevel', () => client.setLogLevel('debug', LIMITS)),
    run('subscribeResource', () => client.subscribeResource('note:1', LIMITS)),
  ]);
  // On a connection that may have broken and recovered.
  await run('callTool again', () => client.callTool('echo', args, LIMITS), aCallResult);
  await run('health', () => client.health({ timeoutMs: TIMEOUT_MS }));
}

/** Runs one operation and says how it ended. Whether it ended well. */
async function run<T>(
  operation: string,
  start: () => Promise<T>,
  check: (result: T) => string | undefined = () => undefined,
): Promise<boolean> {
  tell({ type: 'began', operation });
  try {
    const malformed = check(await start());
    tell({ type: 'settled', operation, ...(malformed !== undefined && { malformed }) });
    return true;
  } catch (error) {
    tell({ type: 'settled', operation, error: reported(error) });
    return false;
  }
}

function aList(list: unknown): string | undefined {
  if (!Array.isArray(list)) return 'not an array';
  const isEntry = (entry: unknown): boolean => typeof entry === 'object' && entry !== null;
  return list.every(isEntry) ? undefined : 'an entry that is no object';
}

function namedList(list: { name: unknown }[]): string | undefined {
  const isNamed = ({ name }: { name: unknown }): boolean => typeof name === 'string';
  return aList(list) ?? (list.every(isNamed) ? undefined : 'an entry without a name');
}

function aCallResult(result: { content: unknown }): string | undefined {
  return Array.isArray(result?.content) ? undefined : 'a result without an array of content';
}

function reported(error: unknown): ReportedError {
  const { name, message, code, certainty } = error as Partial<LongwireError>;
  return {
    name: String(name),
    isOurs: error instanceof LongwireError,
    code,
    certainty,
    message:
      (error instanceof LongwireError ? message : (error as Error)?.stack)?.slice(0, 500) ??
      String(error),
  };
}

async function leftAfterClosing(): Promise<string[]> {
  for (let waitedMs = 0; ; waitedMs += 10) {
    const left = [...countOpen()].flatMap(([kind, count]) =>
      count > (openBefore.get(kind) ?? 0) ? [kind] : [],
    );
    if (left.length === 0 || waitedMs > CLOSING_MS) return left;
    await delay(10, undefined, { ref: false });
  }
}

function countOpen(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function tell(message: SubjectMessage): void {
  process.send?.(message);
}
