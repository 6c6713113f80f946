import { expect, it } from 'vitest';
import { CallClock } from '../../src/client/call-clock.ts';
import { Principals } from '../../src/client/principals.ts';
import type { PrincipalCredentials } from '../../src/options/principal-options.ts';
import { failureOf } from '../support/failure-of.ts';

/** Runs operations of principals, of whom ten are remembered. */
function running(): (id: string, given?: PrincipalCredentials) => Promise<string> {
  const principals = new Principals({
    options: { maxSessions: 1, idleMs: 0 },
    create: () => ({ close: () => Promise.resolve() }),
    shared: {
      clock: new CallClock(),
      timeouts: { callMs: 60_000, deadlineMs: Infinity },
      onListenerError: () => {},
    },
  });
  return (id, given) =>
    principals.run(principals.of(id, given), { what: 'the call of echo', options: {} }, () =>
      Promise.resolve('made'),
    );
}

const plain = { headers: { 'x-tenant': 'a' } };
const refused = { code: 'config', certainty: 'not-sent' };

it('one that may have had credentials is refused with plain headers alone', async () => {
  const run = running();
  await run('ann', { token: 'a' });
  for (let n = 0; n < 20; n++) await run(`u${n}`, { token: 'u' });
  expect(await failureOf(run('ann', plain))).toMatchObject(refused);
  expect(await run('ann', { ...plain, token: 'a' })).toBe('made');
  expect(await run('ann', plain)).toBe('made');
});

it('where nobody had credentials, plain headers are enough', async () => {
  const run = running();
  await run('ann', plain);
  for (let n = 0; n < 20; n++) await run(`u${n}`, plain);
  expect(await failureOf(run('ann'))).toMatchObject(refused);
  expect(await run('ann', plain)).toBe('made');
});
