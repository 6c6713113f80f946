import { connect } from '@longwire/client';
import type { Progress } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { everythingCommand, startEverything } from '../../../../test/support/peers.ts';
import { descendantsOf, killAtOnce } from '../../../../test/support/process-tree.ts';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';

expectNothingLeftOpen();

const RESEARCH = 'simulate-research-query';

describe('the task tool of server-everything', () => {
  test.each(['stdio', 'sse', 'streamableHttp'] as const)(
    'over %s',
    { timeout: 60_000 },
    async (mode) => {
      await using peer = mode === 'stdio' ? undefined : await startEverything({ mode });
      const asked: string[] = [];
      await using client = await connect(peer?.url ?? everythingCommand(), {
        handlers: {
          elicitation: ({ message }) => {
            asked.push(message);
            return { action: 'accept', content: { interpretation: 'snake' } };
          },
        },
      });
      const seen: Progress[] = [];
      const result = await client.callTool(
        RESEARCH,
        { topic: 'python', ambiguous: true },
        { onProgress: (step) => seen.push(step) },
      );
      expect(JSON.stringify(result.content)).toContain('python (snake)');
      expect(asked).toHaveLength(1);
      expect(seen.map(({ message }) => message)).toEqual(
        expect.arrayContaining(['Gathering sources...', 'Analyzing content...']),
      );
    },
  );

  test('dies with its process, and the error says so', { timeout: 60_000 }, async () => {
    const before = new Set(descendantsOf(process.pid));
    await using client = await connect(everythingCommand(), { retry: { firstDelayMs: 1 } });
    let taskId = '';
    const failed = failureOf(
      client.callTool(RESEARCH, { topic: 'rope' }, { onTask: (task) => (taskId = task.taskId) }),
    );
    await until(() => taskId !== '');
    for (const pid of descendantsOf(process.pid)) if (!before.has(pid)) killAtOnce(pid);
    const error = await failed;
    expect(error).toMatchObject({ certainty: 'outcome-unknown', taskId });
    expect(error.message).toContain('process');
  });
});
