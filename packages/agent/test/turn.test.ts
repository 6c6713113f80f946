import Anthropic from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { LongwireError } from '@longwire/client';
import { fakeSource, said } from './support/fake-source.ts';
import type { FakeTool } from './support/fake-source.ts';
import { collect, deferred, done, ofType, setup } from './support/setup.ts';
import { messageStart, textBlock, toolUseBlock } from './support/stream-events.ts';

/** A tool that runs until it is aborted, and says when it runs. */
function hangingTool(name: string): FakeTool & { running: Promise<AbortSignal> } {
  const started = deferred<AbortSignal>();
  return {
    name,
    running: started.promise,
    run: (_, { signal }) => {
      if (signal === undefined) throw new Error('the call has no signal');
      started.resolve(signal);
      return new Promise(() => {});
    },
  };
}

const unknownOutcome = expect.stringContaining('outcome is unknown');

test('an abort while tools run ends them, and the next turn can follow', async () => {
  const hanging = hangingTool('hang');
  const source = fakeSource('demo', [{ name: 'quick', run: () => said('quick one') }, hanging]);
  const { agent, claude } = await setup(
    [{ text: 'Both.', calls: [{ name: 'quick' }, { name: 'hang' }] }, { text: 'I see.' }],
    { clients: [source] },
  );
  const controller = new AbortController();
  void hanging.running.then(() => controller.abort());
  const events = await collect(agent.send('Go', { signal: controller.signal }));

  expect((await hanging.running).aborted).toBe(true);
  expect(done(events)).toMatchObject({ reason: 'aborted', text: '' });
  expect(ofType(events, 'tool-result')).toMatchObject([
    { tool: 'quick', isError: false },
    { tool: 'hang', isError: true, error: { name: 'AbortError' } },
  ]);

  await collect(agent.send('What happened?'));
  expect(claude.bodies()[1]?.messages[2]?.content).toMatchObject([
    { type: 'tool_result', content: [{ text: 'quick one' }] },
    { type: 'tool_result', is_error: true, content: [{ text: unknownOutcome }] },
    { type: 'text', text: 'What happened?' },
  ]);
});

test('an aborted call that knows that it was not sent says so', async () => {
  const controller = new AbortController();
  const source = fakeSource('demo', [
    {
      name: 'queued',
      run: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () =>
            reject(new LongwireError('Aborted.', { code: 'aborted', certainty: 'not-sent' })),
          );
          controller.abort();
        }),
    },
  ]);
  const { agent, claude } = await setup([{ calls: [{ name: 'queued' }] }, { text: 'Ok.' }], {
    clients: [source],
  });
  const events = await collect(agent.send('Go', { signal: controller.signal }));
  expect(done(events).reason).toBe('aborted');
  await collect(agent.send('And?'));
  expect(claude.bodies()[1]?.messages[2]?.content).toMatchObject([
    { is_error: true, content: [{ text: expect.stringContaining('did not run') }] },
    {},
  ]);
});

test('breaking out of the loop while tools run does the same', async () => {
  const hanging = hangingTool('hang');
  const chatty: FakeTool = {
    name: 'chatty',
    run: async (_, { onProgress }) => {
      await hanging.running;
      onProgress?.({ progress: 1 });
      return new Promise(() => {});
    },
  };
  const { agent, claude } = await setup(
    [{ calls: [{ name: 'hang' }, { name: 'chatty' }] }, { text: 'Fine.' }],
    { clients: [fakeSource('demo', [hanging, chatty])] },
  );
  for await (const event of agent.send('Go')) if (event.type === 'tool-progress') break;

  expect((await hanging.running).aborted).toBe(true);
  expect(agent.messages).toHaveLength(3);
  await collect(agent.send('Again'));
  expect(claude.bodies()[1]?.messages[2]?.content).toMatchObject([
    { content: [{ text: unknownOutcome }] },
    { content: [{ text: unknownOutcome }] },
    { text: 'Again' },
  ]);
});

test('breaking out before the calls are made says that they did not run', async () => {
  const source = fakeSource('demo', [{ name: 'write' }]);
  const { agent, claude } = await setup([{ calls: [{ name: 'write' }] }, { text: 'Fine.' }], {
    clients: [source],
  });
  for await (const event of agent.send('Go')) if (event.type === 'usage') break;
  expect(source.calls).toEqual([]);
  await collect(agent.send('Again'));
  expect(claude.bodies()[1]?.messages[2]?.content).toMatchObject([
    { is_error: true, content: [{ text: expect.stringContaining('did not run') }] },
    {},
  ]);
});

test('an abort just before the calls are made keeps them from being made', async () => {
  const source = fakeSource('demo', [{ name: 'write' }]);
  const { agent } = await setup([{ calls: [{ name: 'write' }] }], { clients: [source] });
  const controller = new AbortController();
  const events = [];
  for await (const event of agent.send('Go', { signal: controller.signal })) {
    events.push(event);
    if (event.type === 'tool-call') controller.abort();
  }
  expect(done(events).reason).toBe('aborted');
  expect(source.calls).toEqual([]);
  expect(agent.messages).toHaveLength(3);
});

test('an abort while Claude writes closes the stream and keeps the text that was seen', async () => {
  const { agent, claude } = await setup([{ text: 'Ok.' }], { clients: [] });
  claude.proxy.next({
    type: 'stream',
    events: [messageStart(), ...textBlock(0, 'Once upon')],
    ending: 'hold',
  });
  const controller = new AbortController();
  const events = [];
  for await (const event of agent.send('Tell', { signal: controller.signal })) {
    events.push(event);
    if (event.type === 'text') controller.abort();
  }
  expect(done(events)).toMatchObject({ reason: 'aborted', text: 'Once upon' });
  expect(await claude.proxy.requests[0]?.ended).toBe('closed');

  await collect(agent.send('Stop'));
  expect(claude.bodies()[1]?.messages).toMatchObject([
    { content: [{ text: 'Tell' }] },
    { role: 'assistant', content: [{ text: 'Once upon' }] },
    { content: [{ text: 'Stop' }] },
  ]);
});

test('an abort while Claude writes a call drops the call', async () => {
  const { agent, claude } = await setup([{ text: 'Ok.' }], {
    clients: [fakeSource('demo', [{ name: 'write' }])],
  });
  claude.proxy.next({
    type: 'stream',
    events: [
      messageStart(),
      ...toolUseBlock(0, { id: 'toolu_a', name: 'write', json: '{"a":' }),
      ...textBlock(1, 'Writing'),
    ],
    ending: 'hold',
  });
  for await (const event of agent.send('Go')) if (event.type === 'text') break;
  expect(await claude.proxy.requests[0]?.ended).toBe('closed');
  await collect(agent.send('Stop'));
  expect(claude.bodies()[1]?.messages[1]?.content).toMatchObject([
    { type: 'text', text: 'Writing' },
  ]);
});

test('an abort before Claude says anything leaves no trace', async () => {
  const { agent, claude } = await setup([{ text: 'Ok.' }], { clients: [] });
  claude.proxy.next({ type: 'stream', events: [], ending: 'hold' });
  const controller = new AbortController();
  const turn = collect(agent.send('First', { signal: controller.signal }));
  while (claude.proxy.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  expect(done(await turn).reason).toBe('aborted');
  expect(agent.messages).toEqual([]);

  expect(done(await collect(agent.send('x', { signal: controller.signal }))).reason).toBe(
    'aborted',
  );
  await collect(agent.send('Second'));
  expect(claude.bodies()).toHaveLength(2);
  expect(claude.bodies()[1]?.messages).toHaveLength(1);
});

test('asking for the end of the events aborts what they wait for', async () => {
  const hanging = hangingTool('hang');
  const { agent } = await setup([{ calls: [{ name: 'hang' }] }], {
    clients: [fakeSource('demo', [hanging])],
  });
  const iterator = agent.send('Go')[Symbol.asyncIterator]();
  const reading = (async () => {
    const results = [];
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      results.push(next.value.type);
    }
    return results;
  })();
  const signal = await hanging.running;
  await iterator.return?.();
  expect(signal.aborted).toBe(true);
  expect(await reading).toContain('tool-call');
  expect(agent.messages).toHaveLength(3);
});

test('an abort while the tools are listed ends the turn', async () => {
  const source = fakeSource('demo', [{ name: 'echo' }]);
  const { agent, claude } = await setup([{ text: 'Ok.' }], { clients: [source] });
  const controller = new AbortController();
  const { listTools } = source;
  source.listTools = () => {
    controller.abort();
    return new Promise(() => {});
  };
  expect(done(await collect(agent.send('Hi', { signal: controller.signal }))).reason).toBe(
    'aborted',
  );
  source.listTools = listTools;
  await collect(agent.send('Hi'));
  expect(claude.bodies()[0]?.tools).toHaveLength(1);
});

test('an error of the API is thrown unchanged, and the same can be sent again', async () => {
  const { agent, claude } = await setup([{ text: 'Hello.' }], { clients: [] });
  const body = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  claude.proxy.next({ type: 'answer', status: 529, body });
  const error = await collect(agent.send('Hi')).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Anthropic.APIError);
  expect(error).toMatchObject({ status: 529 });
  expect(agent.messages).toEqual([]);
  await collect(agent.send('Hi'));
  expect(claude.bodies()[1]?.messages).toHaveLength(1);
});

test('a stream that ends early is an error, and leaves no trace', async () => {
  const { agent, claude } = await setup([{ text: 'A long answer, cut.' }, { text: 'Whole.' }], {
    clients: [],
  });
  claude.proxy.next({ type: 'cut', after: 'nswer' });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of agent.send('Hi')) if (event.type === 'text') seen.push(event.text);
  })();
  await expect(reading).rejects.toBeInstanceOf(Anthropic.AnthropicError);
  expect(seen.join('')).toMatch(/^A long/);
  expect(agent.messages).toEqual([]);
  expect(done(await collect(agent.send('Hi'))).text).toBe('Whole.');
});

test('a stream that ends early is an error too', async () => {
  const { agent, claude } = await setup([], { clients: [] });
  claude.proxy.next({
    type: 'stream',
    events: [messageStart(), ...textBlock(0, 'Half')],
    ending: 'end',
  });
  await expect(collect(agent.send('Hi'))).rejects.toBeInstanceOf(Anthropic.AnthropicError);
  expect(agent.messages).toEqual([]);
});

test('an error event in the stream is an error', async () => {
  const { agent, claude } = await setup([], { clients: [] });
  const error = { type: 'overloaded_error', message: 'Overloaded' };
  claude.proxy.next({
    type: 'stream',
    events: [messageStart(), ...textBlock(0, 'Half'), { type: 'error', error }],
    ending: 'end',
  });
  await expect(collect(agent.send('Hi'))).rejects.toThrow('Overloaded');
});

test('an error after tools ran keeps their results', async () => {
  const source = fakeSource('demo', [{ name: 'write', run: () => said('written') }]);
  const { agent, claude } = await setup(
    [{ calls: [{ name: 'write' }] }, { text: 'A long answer, cut.' }, { text: 'It is written.' }],
    { clients: [source] },
  );
  claude.proxy.next('pass');
  claude.proxy.next({ type: 'cut', after: 'nswer' });
  await expect(collect(agent.send('Write'))).rejects.toBeInstanceOf(Anthropic.AnthropicError);
  expect(agent.messages).toHaveLength(3);

  await collect(agent.send('And?'));
  expect(claude.bodies()[2]?.messages[2]?.content).toMatchObject([
    { type: 'tool_result', content: [{ text: 'written' }] },
    { type: 'text', text: 'And?' },
  ]);
});

/** A turn whose tool ran and whose results were then answered with an error, and what the next turn sends. */
async function resultsAfter(status: number, error: Record<string, unknown>) {
  const source = fakeSource('demo', [{ name: 'read', run: () => said('what was read') }]);
  const { agent, claude } = await setup([{ calls: [{ name: 'read' }] }, { text: 'Ok.' }], {
    clients: [source],
  });
  claude.proxy.next('pass');
  claude.proxy.next({ type: 'answer', status, body: { type: 'error', error } });
  await expect(collect(agent.send('Read'))).rejects.toMatchObject({ status });
  await collect(agent.send('And?'));
  return claude.bodies()[2]?.messages[2]?.content;
}

test.each([
  [400, 'messages.9.content.0.tool_result.content.0.image.source.base64: invalid'],
  [400, 'messages: text content blocks must be non-empty'],
  [400, 'prompt is too long: 207368 tokens > 200000 maximum'],
  [400, 'input length and `max_tokens` exceed context limit: 190000 + 16384 > 200000'],
  [400, 'Could not process image'],
  [413, 'Request exceeds the maximum size'],
])('results that the API will not take are withheld: %i %s', async (status, message) => {
  const type = status === 413 ? 'request_too_large' : 'invalid_request_error';
  const content = await resultsAfter(status, { type, message });
  expect(JSON.stringify(content)).not.toContain('what was read');
  expect(content).toMatchObject([{ is_error: true }, { text: 'And?' }]);
});

test.each([
  [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'],
  [400, 'invalid_request_error', 'You have reached your specified API usage limits.'],
  [400, 'invalid_request_error', 'This organization has been disabled.'],
  [400, 'invalid_request_error', 'max_tokens: 999999 > 64000, the maximum of output tokens'],
  [400, 'invalid_request_error', 'tools.7.custom.input_schema: the image of messages.1 is bad'],
  [400, 'billing_error', 'messages: billing'],
  [429, 'rate_limit_error', 'Please reduce the prompt length, messages.2 for example'],
  [529, 'overloaded_error', 'Overloaded'],
])(
  'results that are not the cause of an error are kept: %i %s %s',
  async (status, type, message) => {
    expect(await resultsAfter(status, { type, message })).toMatchObject([
      { type: 'tool_result', content: [{ text: 'what was read' }] },
      { text: 'And?' },
    ]);
  },
);

test('what a call throws is told to Claude with what is certain', async () => {
  const certainties = ['not-sent', 'refused', 'answered', 'outcome-unknown'] as const;
  const source = fakeSource('demo', [
    ...certainties.map((certainty) => ({
      name: certainty,
      run: () => {
        const hint = 'set an option';
        throw new LongwireError(`It failed (${certainty}).`, { code: 'timeout', certainty, hint });
      },
    })),
    {
      name: 'foreign',
      run: () => {
        throw new TypeError('Odd.');
      },
    },
  ]);
  const { agent, claude } = await setup(
    [{ calls: source.tools.map(({ name }) => ({ name })) }, { text: 'Hm.' }],
    { clients: [source] },
  );
  const events = await collect(agent.send('Try'));
  expect(ofType(events, 'tool-result').map(({ error }) => error)).toEqual([
    ...certainties.map(() => expect.any(LongwireError)),
    expect.any(TypeError),
  ]);
  const content = claude.bodies()[1]?.messages[2]?.content;
  const results = typeof content === 'object' ? content : [];
  expect(results.every((result) => result.is_error === true)).toBe(true);
  expect(results.map(({ content: parts }) => typeof parts === 'object' && parts[0]?.text)).toEqual([
    'The call failed: it had not been sent, so the tool did not run. It failed (not-sent).',
    'The call failed: the server had refused it and did not run it. It failed (refused).',
    'The server answered the call with an error. It failed (answered).',
    expect.stringMatching(/outcome is unknown.*Assume neither.*blindly.*\(outcome-unknown\)\.$/),
    expect.stringMatching(/outcome is unknown.*Odd\./),
  ]);
});
