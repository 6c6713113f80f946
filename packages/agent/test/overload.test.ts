import Anthropic from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { collect, done, ofType, setup } from './support/setup.ts';
import { messageStart, textBlock } from './support/stream-events.ts';

async function overloaded(type: string, before: ReturnType<typeof textBlock> = []) {
  const { agent, claude } = await setup([{ text: 'Hello.' }], { clients: [] });
  const anthropic = new Anthropic({ baseURL: claude.url, apiKey: 'test-key', maxRetries: 1 });
  const { createAgent } = await import('../src/index.ts');
  const patient = createAgent({ clients: [], anthropic });
  claude.proxy.next({
    type: 'stream',
    events: [...before, { type: 'error', error: { type, message: 'Busy' } }],
    ending: 'end',
  });
  return { agent, patient, claude };
}

test.each(['overloaded_error', 'api_error', 'rate_limit_error', 'timeout_error'])(
  '%s as the first event of an answer is asked again',
  async (type) => {
    const { patient, claude } = await overloaded(type);
    expect(done(await collect(patient.send('Hi'))).text).toBe('Hello.');
    expect(claude.proxy.requests).toHaveLength(2);
  },
);

test('so it is where nothing was shown yet', async () => {
  const { patient } = await overloaded('overloaded_error', [messageStart()]);
  const events = await collect(patient.send('Hi'));
  expect(
    ofType(events, 'text')
      .map(({ text }) => text)
      .join(''),
  ).toBe('Hello.');
});

test('it is not where something was shown, nor more often than the SDK may, nor for what does not pass', async () => {
  const shown = await overloaded('overloaded_error', [messageStart(), ...textBlock(0, 'Hal')]);
  await expect(collect(shown.patient.send('Hi'))).rejects.toThrow('Busy');
  const never = await overloaded('overloaded_error');
  await expect(collect(never.agent.send('Hi'))).rejects.toThrow('Busy');
  const broken = await overloaded('invalid_request_error');
  await expect(collect(broken.patient.send('Hi'))).rejects.toThrow('Busy');
  expect(broken.claude.proxy.requests).toHaveLength(1);
  expect(broken.patient.messages).toEqual([]);
});

test('an abort ends the wait', async () => {
  const { patient, claude } = await overloaded('overloaded_error');
  const controller = new AbortController();
  const turn = collect(patient.send('Hi', { signal: controller.signal }));
  while (claude.proxy.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await claude.proxy.requests[0]?.ended;
  controller.abort();
  expect(done(await turn).reason).toBe('aborted');
});
