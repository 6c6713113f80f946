import type { About, Level } from '../grammar/mutation.ts';
import { messagesFor, resultOf } from './answers.ts';
import type { Mutator } from './mutator.ts';

/** The texts of the messages with which a server answers a request. */
export function answerTexts(about: About, era: 'legacy' | 'modern', mutator: Mutator): string[] {
  const proper = resultOf(about, era);
  const result = proper === undefined ? undefined : mutateResult(about, proper, mutator);
  const messages = mutator.apply('rpc', messagesFor(about, result), about);
  return messages.map((message) => mutator.apply('json', stringify(message), about));
}

/** The result after the faults of the level that it belongs to. */
export function mutateResult(about: About, result: unknown, mutator: Mutator): unknown {
  const level = RESULT_LEVELS[about.purpose];
  const mutated = mutator.apply(level, result, about);
  return about.method === 'tools/list' ? mutator.apply('schema', mutated, about) : mutated;
}

const RESULT_LEVELS = {
  connect: 'handshake',
  list: 'list',
  call: 'call',
  task: 'task',
  other: 'call',
} as const satisfies Record<About['purpose'], Level>;

/** JSON of anything: what has none becomes nothing. */
export function stringify(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

/** One server-sent event, after the faults of its level. */
export function eventBytes(name: string, data: string, about: About, mutator: Mutator): Buffer {
  const event = mutator.apply('sse', `event: ${name}\ndata: ${data}\n\n`, about);
  return mutator.apply('bytes', Buffer.from(event), about);
}
