import { describe, expect, it } from 'vitest';
import { connect } from '@longwire/client';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { resultText } from './calls.ts';
import { startStdioServer } from './stdio-server.ts';

expectNothingLeftOpen();

describe('the server that is a process', () => {
  it('runs calls, counts what ran before a kill, and is another process after it', async () => {
    const runs: number[] = [];
    const breaches: string[] = [];
    await using server = await startStdioServer({
      seed: 1,
      onRun: (key) => runs.push(key),
      onBreach: (what) => breaches.push(what),
    });
    expect(server.kill()).toBe(false);
    await using client = await connect(server.command, { retry: { firstDelayMs: 5 } });
    const args = { key: 3, sizeBytes: 20, delayMs: 0, steps: 0 };
    const { content } = await client.callTool('write', args);
    expect(content).toEqual([{ type: 'text', text: resultText('write', args) }]);

    const lost = client.callTool('write', { ...args, key: 4, delayMs: 60_000 });
    await until(() => runs.length === 2);
    expect(server.kill()).toBe(true);
    await expect(lost).rejects.toMatchObject({ certainty: 'outcome-unknown' });
    await client.callTool('write', { ...args, key: 5 });
    expect(runs).toEqual([3, 4, 5]);
    expect([server.openedSessions(), server.liveSessions(), server.running()]).toEqual([2, 1, 1]);

    await client.close();
    await until(() => server.running() === 0 && server.liveSessions() === 0);
    expect(breaches).toEqual([]);
  });
});
