import { expect, test } from 'vitest';
import { fakeSource, said } from './support/fake-source.ts';
import type { StreamEvent } from './support/recording-proxy.ts';
import { collect, done, ofType, setup } from './support/setup.ts';
import {
  messageEnd,
  messageStart,
  textBlock,
  thinkingBlock,
  toolUseBlock,
} from './support/stream-events.ts';

const echoTool = { name: 'echo', run: () => said('echoed') };

function stream(...events: (StreamEvent | StreamEvent[])[]) {
  return { type: 'stream' as const, events: events.flat(), ending: 'end' as const };
}

test('ends after the allowed rounds, and can continue', async () => {
  const source = fakeSource('demo', [echoTool]);
  const { agent, claude } = await setup(
    [
      { calls: [{ name: 'echo' }] },
      { calls: [{ name: 'echo' }] },
      { text: 'Once more.', calls: [{ name: 'echo' }, { name: 'echo' }] },
      { text: 'Now I am done.' },
    ],
    { clients: [source], maxRounds: 2 },
  );
  const events = await collect(agent.send('Loop'));
  expect(done(events)).toMatchObject({ reason: 'max-rounds', text: 'Once more.' });
  expect(source.calls).toHaveLength(2);
  expect(ofType(events, 'tool-call')).toHaveLength(2);

  expect(done(await collect(agent.send('Go on')))).toMatchObject({ text: 'Now I am done.' });
  const last = claude.bodies()[3]?.messages.at(-1)?.content;
  expect(last).toMatchObject([
    {
      type: 'tool_result',
      is_error: true,
      content: [{ text: expect.stringContaining('2 rounds') }],
    },
    { type: 'tool_result', is_error: true },
    { type: 'text', text: 'Go on' },
  ]);
});

test('takes 25 rounds by default', async () => {
  const source = fakeSource('demo', [echoTool]);
  const script = Array.from({ length: 26 }, () => ({ calls: [{ name: 'echo' }] }));
  const { agent } = await setup(script, { clients: [source] });
  expect(done(await collect(agent.send('Loop'))).reason).toBe('max-rounds');
  expect(source.calls).toHaveLength(25);
});

test('keeps a text that was cut at max_tokens', async () => {
  const { agent, claude } = await setup(
    [{ text: 'A long st', stopReason: 'max_tokens' }, { text: 'ory.' }],
    { clients: [], maxTokens: 3 },
  );
  expect(done(await collect(agent.send('Tell')))).toMatchObject({
    reason: 'max-tokens',
    text: 'A long st',
  });
  await collect(agent.send('Go on'));
  expect(claude.bodies()[1]).toMatchObject({
    max_tokens: 3,
    messages: [{}, { content: [{ text: 'A long st' }] }, {}],
  });
});

test('does not run a call whose input was cut at max_tokens', async () => {
  const source = fakeSource('demo', [echoTool]);
  const { agent, claude } = await setup([{ text: 'Sorry.' }], { clients: [source] });
  claude.proxy.next(
    stream(
      messageStart(),
      toolUseBlock(0, { id: 'toolu_a', name: 'echo', json: '{"text":"whole"}' }),
      toolUseBlock(1, { id: 'toolu_b', name: 'echo', json: '{"text":"all of Shakesp' }),
      messageEnd('max_tokens'),
    ),
  );
  const events = await collect(agent.send('Write'));
  expect(done(events).reason).toBe('max-tokens');
  expect(source.calls).toEqual([]);
  expect(ofType(events, 'tool-call')).toEqual([]);

  await collect(agent.send('Shorter'));
  const content = claude.bodies()[1]?.messages[2]?.content;
  expect(content).toMatchObject([
    { tool_use_id: 'toolu_a', is_error: true },
    {
      tool_use_id: 'toolu_b',
      is_error: true,
      content: [{ text: expect.stringMatching(/^Not run/) }],
    },
    { type: 'text', text: 'Shorter' },
  ]);
});

test('keeps nothing of an answer that was cut while thinking', async () => {
  const { agent, claude } = await setup([{ text: 'Yes.' }], { clients: [] });
  claude.proxy.next(stream(messageStart(), thinkingBlock(0, 'Hm', ''), messageEnd('max_tokens')));
  expect(done(await collect(agent.send('Well?')))).toMatchObject({
    reason: 'max-tokens',
    text: '',
  });
  await collect(agent.send('And?'));
  expect(claude.bodies()[1]?.messages).toMatchObject([
    { role: 'user', content: [{ text: 'Well?' }, { text: 'And?' }] },
  ]);
});

test('says when the context is full', async () => {
  const { agent } = await setup([{ text: 'So', stopReason: 'model_context_window_exceeded' }], {
    clients: [],
  });
  expect(done(await collect(agent.send('Hi'))).reason).toBe('context-window');
});

test('says when a stop sequence was written', async () => {
  const { agent, claude } = await setup([{ text: 'One', stopReason: 'stop_sequence' }], {
    clients: [],
    request: { stop_sequences: [','] },
  });
  expect(done(await collect(agent.send('Count')))).toMatchObject({
    reason: 'stop-sequence',
    text: 'One',
  });
  expect(claude.bodies()[0]?.['stop_sequences']).toEqual([',']);
});

test('continues where Claude paused', async () => {
  const { agent, claude } = await setup(
    [
      { text: 'First part, ', stopReason: 'pause_turn' },
      { text: 'second part.' },
      { text: 'Welcome.' },
    ],
    { clients: [] },
  );
  expect(done(await collect(agent.send('Long')))).toMatchObject({
    reason: 'end-turn',
    text: 'First part, second part.',
  });
  await collect(agent.send('Thanks'));
  const bodies = claude.bodies();
  expect(bodies[1]?.messages.at(-1)).toMatchObject({ role: 'assistant' });
  expect(bodies[2]?.messages).toMatchObject([
    { role: 'user' },
    { role: 'assistant', content: [{ text: 'First part, ' }, { text: 'second part.' }] },
    { role: 'user' },
  ]);
});

test('drops a message that Claude declined', async () => {
  const { agent, claude } = await setup([{ text: 'Hello.' }, { text: 'Sure.' }], { clients: [] });
  await collect(agent.send('Hi'));
  const before = agent.messages;
  const details = { stop_details: { type: 'refusal', category: 'bio', explanation: 'Too risky.' } };
  claude.proxy.next(stream(messageStart(), textBlock(0, 'Well, '), messageEnd('refusal', details)));
  expect(done(await collect(agent.send('Bad')))).toMatchObject({
    reason: 'refusal',
    text: 'Well, ',
    explanation: 'Too risky.',
  });
  expect(agent.messages).toEqual(before);
  await collect(agent.send('Good'));
  expect(JSON.stringify(claude.bodies()[2])).not.toContain('Bad');
});

test('withholds the tool results that Claude declined to continue from', async () => {
  const source = fakeSource('demo', [{ name: 'fetch', run: () => said('forbidden words') }]);
  const { agent, claude } = await setup(
    [
      { calls: [{ name: 'fetch' }] },
      { text: 'I', stopReason: 'refusal' },
      { text: 'Something else.' },
    ],
    { clients: [source] },
  );
  expect(done(await collect(agent.send('Fetch'))).reason).toBe('refusal');
  await collect(agent.send('What else?'));
  const [, , body] = claude.bodies();
  expect(JSON.stringify(body)).not.toContain('forbidden words');
  expect(body?.messages[2]?.content).toMatchObject([
    { type: 'tool_result', is_error: true },
    { type: 'text', text: 'What else?' },
  ]);
});

test('takes an empty answer for an answer', async () => {
  const source = fakeSource('demo', [echoTool]);
  const { agent, claude } = await setup(
    [{ calls: [{ name: 'echo' }] }, { text: '' }, { text: 'There.' }],
    { clients: [source] },
  );
  expect(done(await collect(agent.send('Quietly')))).toMatchObject({
    reason: 'end-turn',
    text: '',
  });
  await collect(agent.send('Well?'));
  expect(claude.bodies()[2]?.messages).toHaveLength(3);
});

test('drops the blank text that comes before a call', async () => {
  const source = fakeSource('demo', [echoTool]);
  const { agent, claude } = await setup([{ text: 'Done.' }], { clients: [source] });
  claude.proxy.next(
    stream(
      messageStart(),
      textBlock(0, '\n\n'),
      toolUseBlock(1, { id: 'toolu_a', name: 'echo', json: '' }),
      messageEnd('tool_use'),
    ),
  );
  await collect(agent.send('Go'));
  expect(claude.bodies()[1]?.messages[1]?.content).toMatchObject([{ type: 'tool_use', input: {} }]);
});

test('tells Claude of a tool that does not exist and of arguments that are no object', async () => {
  const source = fakeSource('demo', [echoTool]);
  const { agent, claude } = await setup(
    [{ calls: [{ name: 'missing', arguments: { a: 1 } }] }, { text: 'Oh.' }, { text: 'Hm.' }],
    { clients: [source] },
  );
  const events = await collect(agent.send('Go'));
  expect(ofType(events, 'tool-call')).toMatchObject([{ server: '', tool: 'missing' }]);
  expect(ofType(events, 'tool-result')).toMatchObject([
    { isError: true, error: expect.any(Error) },
  ]);
  expect(claude.bodies()[1]?.messages[2]?.content).toMatchObject([
    { is_error: true, content: [{ text: expect.stringContaining('"missing"') }] },
  ]);
  expect(source.calls).toEqual([]);
});
