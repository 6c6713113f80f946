import type { ServerContext } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { requestStates } from '../src/request-state.ts';

const context = { mcpReq: { method: 'tools/call' } } as ServerContext;
const [older, newer] = ['a'.repeat(32), 'b'.repeat(32)];

it('opens what its principal was given, and for nobody else', async () => {
  const states = requestStates([newer]);
  const sealed = await states(() => 'ada').mint({ step: 1 }, context);
  expect(await states(() => 'ada').verify(sealed, context)).toEqual({ step: 1 });
  await expect(states(() => 'bob').verify(sealed, context)).rejects.toThrow();
});

it('opens what an older key sealed, as long as it is listed', async () => {
  const sealed = await requestStates([older])(() => 'ada').mint('x', context);
  expect(await requestStates([newer, older])(() => 'ada').verify(sealed, context)).toBe('x');
  await expect(requestStates([newer])(() => 'ada').verify(sealed, context)).rejects.toThrow();
});

it('goes by whom its server serves now', async () => {
  let principal = 'ada';
  const codec = requestStates([newer])(() => principal);
  const sealed = await codec.mint('x', context);
  principal = 'bob';
  await expect(codec.verify(sealed, context)).rejects.toThrow();
});

it.each([
  [[], /requestStateKeys/],
  [['short'], /32 bytes/],
])('names what is wrong with the keys %j', (keys, message) => {
  expect(() => requestStates(keys)).toThrow(message);
});
