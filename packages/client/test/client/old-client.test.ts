import { expect, it } from 'vitest';
import { startStreamable } from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { connect } from '../../src/index.ts';

it('the Client of the era before gets nothing of its successor, nor the other way round', async () => {
  await using server = await startStreamable();
  await using client = await connect(server.url, { retry: { firstDelayMs: 5, maxDelayMs: 50 } });
  const old = client.sdk;
  server.cut();
  server.dropSessions();
  server.mischief.era = 'modern';
  await client.callTool('echo', { message: 'x' });
  await until(() => expect(client.sdk.getProtocolEra()).toBe('modern'));
  const echo = (sdk: typeof old, message: string) =>
    sdk.callTool({ name: 'echo', arguments: { message } }, { timeout: 1000 });
  const [, fresh, , fresh2] = await Promise.allSettled([
    echo(old, 'old'),
    echo(client.sdk, 'new'),
    echo(old, 'old2'),
    echo(client.sdk, 'new2'),
  ]);
  expect(fresh).toMatchObject({ value: { content: [{ text: 'new' }] } });
  expect(fresh2).toMatchObject({ value: { content: [{ text: 'new2' }] } });
});
