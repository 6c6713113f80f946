import { createClient, type LongwireClient } from '@longwire/client';
import { createGroup } from '@longwire/client/group';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { startTaskShop, type TaskShop } from '../../workflow/test/support/task-shop.ts';
import { AgentStateError, createAgent, type Agent, type AgentEvent } from '../src/index.ts';
import { fakeSource, said } from './support/fake-source.ts';
import { collect, done, ofType, setup } from './support/setup.ts';

let server: TaskShop;
let shop: LongwireClient;
beforeEach(async () => {
  server = await startTaskShop();
  shop = createClient(server.url, { name: 'shop' });
});
afterEach(async () => {
  await shop.close();
  await server[Symbol.asyncDispose]();
});

const writing = { calls: [{ name: 'write', arguments: { n: 7 } }] };

/** What a program keeps, and what comes of it in a file. */
type Kept = Pick<Agent, 'messages' | 'tasks'>;
const keep = ({ messages, tasks }: Agent): Kept =>
  JSON.parse(JSON.stringify({ messages, tasks })) as Kept;

/** Sends a message, and calls back when a call has become a task. */
async function untilTask(agent: Agent, onTask: () => void): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of agent.send('Write 7.')) {
    events.push(event);
    if (event.type === 'tool-task') onTask();
  }
  return events;
}

/** What Claude was told of a call. */
const toldIn = ({ messages }: Pick<Agent, 'messages'>): unknown[] =>
  messages.flatMap(({ content }) =>
    typeof content === 'string' ? [] : content.filter(({ type }) => type === 'tool_result'),
  );

it('the program is told of a task, and what it keeps has it until its result is there', async () => {
  const { agent } = await setup([writing, { text: 'Written.' }], { clients: [shop] });
  let kept: Kept | undefined;
  const events = await untilTask(agent, () => {
    kept = keep(agent);
    server.open();
  });
  const [told] = ofType(events, 'tool-task');
  const ref = { id: told?.id, server: 'shop', tool: 'write' };
  expect(told).toMatchObject({ ...ref, task: { server: 'shop', taskId: expect.any(String) } });
  const { taskId } = told?.task ?? {};
  expect(kept?.tasks).toEqual([{ ...ref, task: { server: 'shop', taskId } }]);
  expect(toldIn(kept ?? agent)).toMatchObject([{ tool_use_id: told?.id, is_error: true }]);
  expect(JSON.stringify(toldIn(kept ?? agent))).toContain('its outcome is unknown');
  expect(agent.tasks).toEqual([]);
  expect(toldIn(agent)).toMatchObject([{ content: [{ text: 'wrote 7' }] }]);
  expect(done(events)).toMatchObject({ reason: 'end-turn', text: 'Written.' });
});

it('an abort of the turn cancels the task', async () => {
  const { agent } = await setup([writing], { clients: [shop] });
  const aborting = new AbortController();
  const events: AgentEvent[] = [];
  for await (const event of agent.send('Write 7.', { signal: aborting.signal })) {
    events.push(event);
    if (event.type === 'tool-task') aborting.abort();
  }
  expect(done(events)).toMatchObject({ reason: 'aborted' });
  expect(agent.tasks).toEqual([]);
  await until(() => expect(server.aborted).toEqual(['write']));
});

it('close() leaves the task, and another agent goes on with its result', async () => {
  const { agent } = await setup([writing], { clients: [shop] });
  await untilTask(agent, () => agent.close());
  const kept = keep(agent);
  expect(kept.tasks).toHaveLength(1);
  const { agent: next, claude } = await setup([{ text: 'Written.' }], { clients: [shop], ...kept });
  server.open();
  const events = await collect(next.resume());
  expect(events.map(({ type }) => type)).toEqual([
    'tool-task',
    'tool-result',
    'text',
    'usage',
    'done',
  ]);
  expect(server).toMatchObject({ begun: ['write'], aborted: [] });
  expect(JSON.stringify(claude.bodies()[0]?.messages.at(-1))).toContain('wrote 7');
  expect(next.tasks).toEqual([]);
});

it('a new message waits for the task, too', async () => {
  const { agent } = await setup([writing], { clients: [shop] });
  await untilTask(agent, () => agent.close());
  const { agent: next } = await setup([{ text: 'Yes.' }], { clients: [shop], ...keep(agent) });
  server.open();
  await collect(next.send('Is it done?'));
  expect(next.messages.at(-2)).toMatchObject({
    role: 'user',
    content: [
      { type: 'tool_result', content: [{ text: 'wrote 7' }] },
      { type: 'text', text: 'Is it done?' },
    ],
  });
});

it('a task of a server of a group is taken up there', async () => {
  const group = createGroup([{ name: 'one', target: server.url }]);
  try {
    const calls = [{ name: 'one__write', arguments: { n: 7 } }];
    const { agent } = await setup(
      [
        (names) => ({
          calls: [{ ...calls[0], name: names.find((n) => n.includes('write')) ?? '' }],
        }),
      ],
      { clients: [group] },
    );
    await untilTask(agent, () => agent.close());
    expect(agent.tasks).toMatchObject([{ task: { server: 'one' } }]);
    const { agent: next } = await setup([{ text: 'Yes.' }], { clients: [group], ...keep(agent) });
    server.open();
    const events = await collect(next.resume());
    expect(ofType(events, 'tool-result')).toMatchObject([{ isError: false }]);
    expect(server.begun).toEqual(['write']);
  } finally {
    await group.close();
  }
});

describe('a task that is taken up', () => {
  /** Leaves a task. */
  async function left(): Promise<Kept> {
    const { agent } = await setup([writing], { clients: [shop] });
    await untilTask(agent, () => agent.close());
    return keep(agent);
  }

  it('and that its server has lost, is of unknown outcome for Claude', async () => {
    const kept = await left();
    const tasks = kept.tasks.map((one) => ({ ...one, task: { ...one.task, taskId: 'another' } }));
    const { agent } = await setup([{ text: 'Hm.' }], { clients: [shop], ...kept, tasks });
    await collect(agent.resume());
    expect(JSON.stringify(toldIn(agent))).toContain('its outcome is unknown');
  });

  it('and whose server is not there any more, is of unknown outcome for Claude', async () => {
    const other = fakeSource('other', [{ name: 'write' }]);
    const { agent } = await setup([{ text: 'Hm.' }], { clients: [other], ...(await left()) });
    await collect(agent.resume());
    const told = JSON.stringify(toldIn(agent));
    expect(told).toContain('its outcome is unknown');
    expect(told).toContain('There is no server shop any more');
    expect(other.calls).toEqual([]);
  });

  it('is cancelled by an abort', async () => {
    const { agent } = await setup([], { clients: [shop], ...(await left()) });
    const aborting = new AbortController();
    for await (const { type } of agent.resume({ signal: aborting.signal })) {
      if (type === 'tool-task') aborting.abort();
    }
    await until(() => expect(server.aborted).toEqual(['write']));
    expect(agent.tasks).toEqual([]);
  });

  it('is left by close()', async () => {
    const kept = await left();
    const { agent } = await setup([], { clients: [shop], ...kept });
    for await (const { type } of agent.resume()) if (type === 'tool-task') agent.close();
    expect(keep(agent)).toEqual(kept);
    expect(server.aborted).toEqual([]);
  });

  it('and its result, are not lost when the API fails', async () => {
    const { agent } = await setup([], { clients: [shop], ...(await left()) });
    server.open();
    await expect(collect(agent.resume())).rejects.toThrow('the script is at its end');
    expect(toldIn(agent)).toMatchObject([{ content: [{ text: 'wrote 7' }] }]);
    expect(agent.tasks).toEqual([]);
  });
});

it('a turn without tasks is resumed where it stopped', async () => {
  const messages = [{ role: 'user' as const, content: 'Hi' }];
  const { agent } = await setup([{ text: 'Hello.' }], { clients: [], messages });
  expect(done(await collect(agent.resume())).text).toBe('Hello.');
  expect(() => agent.resume()).toThrow(AgentStateError);
});

it('what is kept while calls run claims of none that it did not run', async () => {
  const source = fakeSource('fake', [{ name: 'write', run: () => said('ok') }]);
  const { agent } = await setup([writing, { text: 'Ok.' }], { clients: [source] });
  const kept: unknown[] = [];
  for await (const { type } of agent.send('Write.')) {
    if (type === 'tool-call') kept.push(...toldIn(agent));
  }
  expect(JSON.stringify(kept)).toContain('its outcome is unknown');
});

it.each([
  [[{}], 'tasks.0 is no task: give what agent.tasks gave'],
  [
    [{ id: 'x', server: 's', tool: 't', task: { taskId: '1', server: 's' } }],
    'tasks.0 is of the call "x", which messages do not have',
  ],
])('wrong tasks are refused: %j', (tasks, message) => {
  expect(() => createAgent({ clients: [], tasks: tasks as Agent['tasks'] })).toThrow(message);
});
