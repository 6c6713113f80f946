import Anthropic from '@anthropic-ai/sdk';
import { onTestFinished } from 'vitest';
import { createAgent } from '../../src/index.ts';
import type { Agent, AgentEvent, AgentOptions } from '../../src/index.ts';
import { startScriptedClaude } from './scripted-claude.ts';
import type { ScriptedClaude } from './scripted-claude.ts';

/** An agent that asks a scripted API. Both are closed, and the requests checked, when the test ends. */
export async function setup(
  script: Parameters<typeof startScriptedClaude>[0],
  options: AgentOptions,
): Promise<{ agent: Agent; claude: ScriptedClaude }> {
  const claude = await startScriptedClaude(script);
  const anthropic = new Anthropic({ baseURL: claude.url, apiKey: 'test-key', maxRetries: 0 });
  const agent = createAgent({ anthropic, ...options });
  onTestFinished(async () => {
    agent.close();
    await claude.close();
    claude.bodies();
  });
  return { agent, claude };
}

/** All events of a turn. */
export async function collect(events: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const all: AgentEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** The events of one type. */
export function ofType<Type extends AgentEvent['type']>(
  events: readonly AgentEvent[],
  type: Type,
): Extract<AgentEvent, { type: Type }>[] {
  return events.filter(
    (event): event is Extract<AgentEvent, { type: Type }> => event.type === type,
  );
}

/** The last event of a turn, which must be `done`. */
export function done(events: readonly AgentEvent[]): Extract<AgentEvent, { type: 'done' }> {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error(`the last event is ${last?.type ?? 'missing'}`);
  return last;
}

/** A promise and the means to settle it. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
} {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A PNG of one pixel. */
export const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
