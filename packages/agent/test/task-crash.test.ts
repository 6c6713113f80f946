import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { bundle } from '../../server/test/support/bundle.ts';
import { startTaskShop, type TaskShop } from '../../workflow/test/support/task-shop.ts';
import type { AgentEvent } from '../src/index.ts';
import { startScriptedClaude, type ScriptedClaude } from './support/scripted-claude.ts';
import { done, ofType } from './support/setup.ts';
import type { TaskAgentOptions } from './support/task-agent.ts';

let program: Awaited<ReturnType<typeof bundle>>;
beforeAll(async () => {
  program = await bundle(new URL('support/task-agent.ts', import.meta.url));
});
afterAll(() => program.remove());

let shop: TaskShop;
let claude: ScriptedClaude;
let folder: string;
beforeEach(async () => {
  shop = await startTaskShop();
  folder = await mkdtemp(join(tmpdir(), 'longwire-agent-'));
});
afterEach(async () => {
  // Every request was one that the API takes.
  claude.bodies();
  await claude.close();
  await shop[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Starts the program. `events` grows while it runs. */
function start(options: Pick<TaskAgentOptions, 'say'> = {}) {
  const file = join(folder, 'conversation.json');
  const given: TaskAgentOptions = { url: shop.url, api: claude.url, file, ...options };
  const child = fork(program.path, [JSON.stringify(given)]);
  const events: AgentEvent[] = [];
  child.on('message', (event: AgentEvent) => events.push(event));
  const exited = once(child, 'exit');
  return {
    events,
    killedWhen: async (happened: () => boolean): Promise<void> => {
      await until(happened);
      child.kill('SIGKILL');
      expect(await exited).toEqual([null, 'SIGKILL']);
    },
    ended: async (): Promise<AgentEvent[]> => {
      expect(await exited).toEqual([0, null]);
      return events;
    },
  };
}

it('a turn whose process was killed goes on with the result of its task', async () => {
  const calls = [
    { name: 'write', arguments: { n: 7 } },
    { name: 'note', arguments: { was: 'noted' } },
  ];
  claude = await startScriptedClaude([{ calls }, { text: 'Written.' }]);
  const first = start({ say: 'Write 7, and note it.' });
  await first.killedWhen(
    () =>
      ofType(first.events, 'tool-task').length > 0 &&
      ofType(first.events, 'tool-result').length > 0,
  );
  const next = start();
  await until(() => ofType(next.events, 'tool-task').length > 0);
  shop.open();
  const events = await next.ended();
  expect(ofType(events, 'tool-result')).toMatchObject([{ tool: 'write', isError: false }]);
  expect(done(events)).toMatchObject({ reason: 'end-turn', text: 'Written.' });
  expect(shop).toMatchObject({ begun: ['write'], aborted: [], notes: ['noted'] });
  const told = JSON.stringify(claude.bodies()[1]?.messages.at(-1));
  expect(told).toContain('wrote 7');
  expect(told).toContain('noted');
  expect(claude.bodies()).toHaveLength(2);
});

it('a second crash while the task is waited for loses nothing', async () => {
  claude = await startScriptedClaude([
    { calls: [{ name: 'write', arguments: { n: 7 } }] },
    { text: 'Written.' },
  ]);
  for (const say of ['Write 7.', undefined]) {
    const one = start(say === undefined ? {} : { say });
    await one.killedWhen(() => ofType(one.events, 'tool-task').length > 0);
  }
  const next = start();
  shop.open();
  expect(done(await next.ended()).text).toBe('Written.');
  expect(shop.begun).toEqual(['write']);
});

it('a call that was no task yet is of unknown outcome for Claude, and is not made again', async () => {
  claude = await startScriptedClaude([
    { calls: [{ name: 'slow', arguments: { n: 7 } }] },
    { text: 'I do not know.' },
  ]);
  const first = start({ say: 'Write 7.' });
  await first.killedWhen(() => shop.begun.length > 0);
  const events = await start().ended();
  expect(done(events).text).toBe('I do not know.');
  expect(shop.begun).toEqual(['slow']);
  expect(JSON.stringify(claude.bodies()[1]?.messages.at(-1))).toContain('its outcome is unknown');
});

it('a task that was lost with its server is of unknown outcome for Claude', async () => {
  claude = await startScriptedClaude([
    { calls: [{ name: 'write', arguments: { n: 7 } }] },
    { text: 'I do not know.' },
  ]);
  const first = start({ say: 'Write 7.' });
  await first.killedWhen(() => ofType(first.events, 'tool-task').length > 0);
  const port = Number(new URL(shop.url).port);
  await shop[Symbol.asyncDispose]();
  shop = await startTaskShop({ port });
  const events = await start().ended();
  expect(ofType(events, 'tool-result')).toMatchObject([{ isError: true }]);
  expect(shop.begun).toEqual([]);
  expect(JSON.stringify(claude.bodies()[1]?.messages.at(-1))).toContain('its outcome is unknown');
});
