import { expect, test } from 'vitest';
import { fakeSource, said } from './support/fake-source.ts';
import type { Interception } from './support/recording-proxy.ts';
import { collect, done, ofType, png, setup } from './support/setup.ts';

function rejection(message: string): Interception {
  const error = { type: 'invalid_request_error', message };
  return { type: 'answer', status: 400, body: { type: 'error', error } };
}

const picture = {
  name: 'chart',
  run: () => ({
    content: [
      { type: 'text' as const, text: 'The chart:' },
      { type: 'image' as const, data: png, mimeType: 'image/png' },
    ],
  }),
};
const echo = { name: 'echo', run: () => said('echoed') };

/** A conversation with a picture in it, some turns ago. */
async function withPicture(answers: Parameters<typeof setup>[0]) {
  const rig = await setup(
    [
      { text: 'I look.', calls: [{ name: 'chart' }, { name: 'echo' }] },
      { text: 'A chart.' },
      { text: 'Yes.' },
      ...answers,
    ],
    { clients: [fakeSource('demo', [picture, echo])] },
  );
  await collect(rig.agent.send('Chart'));
  await collect(rig.agent.send('Really?'));
  return rig;
}

test('an older image that the API names is removed, and the same turn continues', async () => {
  const { agent, claude } = await withPicture([{ text: 'There.' }, { text: 'And more.' }]);
  const message =
    'messages.2.content.0.tool_result.content.1.image.source.base64.data: image exceeds 5 MB maximum';
  claude.proxy.next(rejection(message));
  const events = await collect(agent.send('Go on'));
  expect(done(events).text).toBe('There.');
  expect(ofType(events, 'content-omitted')).toEqual([
    { type: 'content-omitted', what: 'an image in the result of chart', reason: message },
  ]);
  await collect(agent.send('More'));
  expect(claude.bodies()[5]?.messages[2]?.content).toMatchObject([
    {
      type: 'tool_result',
      content: [{ text: 'The chart:' }, { text: expect.stringContaining('left out') }],
    },
    { type: 'tool_result', content: [{ text: 'echoed' }] },
  ]);
  expect(JSON.stringify(agent.messages)).not.toContain(png);
});

test('an image that the API does not name is removed as well', async () => {
  const { agent, claude } = await withPicture([{ text: 'There.' }]);
  claude.proxy.next(rejection('Could not process image'));
  const events = await collect(agent.send('Go on'));
  expect(ofType(events, 'content-omitted').map(({ what }) => what)).toEqual([
    'an image in the result of chart',
  ]);
  expect(done(events).text).toBe('There.');
  expect(agent.messages).toHaveLength(8);
});

test.each<[string, string, string]>([
  ['a result', 'messages.2.content.1: bad tool result', 'the result of echo'],
  ['a call, with its result', 'messages.1.content.2.tool_use.input: bad', 'the call of echo'],
  ['a text of Claude', 'messages.1.content.0.text: bad', 'a text of Claude'],
  ['a text of the user', 'messages.4.content.0: bad', 'a text of the user'],
  ['a whole message of Claude', 'messages.1: bad', 'a text of Claude'],
  ['a whole message of results', 'messages.2: bad', 'the result of chart'],
])('what the API names can be %s', async (_, message, what) => {
  const { agent, claude } = await withPicture([{ text: 'There.' }]);
  claude.proxy.next(rejection(message));
  const events = await collect(agent.send('Go on'));
  expect(ofType(events, 'content-omitted')).toEqual([
    { type: 'content-omitted', what, reason: message },
  ]);
  expect(done(events).text).toBe('There.');
  // That it is a valid conversation is checked when the test ends.
  expect(JSON.stringify(claude.bodies()[4]?.messages)).toContain('left out');
});

test('it stays out if the turn fails for another reason', async () => {
  const { agent, claude } = await withPicture([{ text: 'There.' }]);
  claude.proxy.next(rejection('messages.2.content.0.tool_result.content.1.image: bad'));
  claude.proxy.next(rejection('Your credit balance is too low'));
  await expect(collect(agent.send('Go on'))).rejects.toThrow('credit');
  expect(agent.messages).toHaveLength(6);
  expect(JSON.stringify(agent.messages)).not.toContain(png);
  expect(done(await collect(agent.send('Go on'))).text).toBe('There.');
});

test('the message of this turn is not removed: the error is thrown, and the conversation stays as it was', async () => {
  const { agent, claude } = await withPicture([]);
  const before = agent.messages;
  const source = { type: 'base64' as const, media_type: 'image/png' as const, data: png };
  claude.proxy.next(rejection('messages.6.content.0.image.source.base64: bad'));
  await expect(collect(agent.send([{ type: 'image', source }]))).rejects.toThrow('bad');
  expect(agent.messages).toBe(before);
});

test('stops after ten, and if nothing is left to remove', async () => {
  const { agent, claude } = await withPicture([]);
  const message = 'messages.2.content.1: bad';
  claude.proxy.next(rejection(message));
  claude.proxy.next(rejection(message));
  await expect(collect(agent.send('Go on'))).rejects.toThrow('bad');
  expect(claude.proxy.requests).toHaveLength(5);

  const answers = Array.from({ length: 12 }, (_, n) => ({ text: `${n}` }));
  const long = await setup(answers, { clients: [] });
  for (let n = 0; n < 12; n++) await collect(long.agent.send(`${n}`));
  for (let n = 0; n < 12; n++) long.claude.proxy.next(rejection(`messages.${n}.content.0: bad`));
  await expect(collect(long.agent.send('Go on'))).rejects.toThrow('messages.10.');
});

test('ids of tool calls that come again are made unique', async () => {
  const source = fakeSource('demo', [echo]);
  const again = { name: 'echo', id: 'toolu_same' };
  const { agent, claude } = await setup(
    [{ calls: [again, again] }, { calls: [again] }, { text: 'One.' }, { text: 'Two.' }],
    { clients: [source] },
  );
  const events = await collect(agent.send('Echo'));
  await collect(agent.send('More'));
  expect(source.calls).toHaveLength(3);
  const ids = ['toolu_same', 'toolu_same_2', 'toolu_same_3'];
  expect(ofType(events, 'tool-call').map(({ id }) => id)).toEqual(ids);
  expect(ofType(events, 'tool-result').map(({ id }) => id)).toEqual(ids);
  expect(claude.bodies()).toHaveLength(4);
});

test('ids and names that the API would not take back are written so that it does', async () => {
  const source = fakeSource('demo', [echo]);
  const { agent, claude } = await setup(
    [
      { calls: [{ name: 'functions.echo:1', id: 'call.1' }] },
      { calls: [{ name: 'x'.repeat(64), id: 'call/2' }] },
      { text: 'Hm.' },
    ],
    { clients: [source] },
  );
  const events = await collect(agent.send('Echo'));
  expect(ofType(events, 'tool-result').map(({ isError }) => isError)).toEqual([true, true]);
  const [, , body] = claude.bodies();
  expect(body?.messages[1]?.content).toMatchObject([{ id: 'call_1', name: 'functions_echo_1' }]);
});
