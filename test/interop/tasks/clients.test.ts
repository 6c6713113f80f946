import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { countOpenHandles, type OpenHandles } from '../../support/open-handles.ts';
import { interpreterOf, preparePython } from '../../support/python-servers.ts';
import { prepareClients } from '../kit/support/prepare-clients.ts';
import { runClient } from '../kit/support/run-client.ts';
import { directoryOf, tellWhatIsMissing } from '../support/missing.ts';
import type { Era } from './support/eras.ts';
import { resumeWithExtTasks, surviveWithExtTasks, taskWithExtTasks } from './support/ext-tasks.ts';
import { surviveWithInspector, taskWithInspector } from './support/inspector-tasks.ts';
import { taskWithSdk1 } from './support/sdk-1-tasks.ts';
import { whyNoRedis } from '../../cluster/support/redis-server.mjs';
import { serveTaskCluster, serveTaskKit, type TaskKit } from './support/task-kit.ts';
import { resultText, WHOLE_TASKS } from './support/task-report.ts';
import { prepareFastMcp3 } from './support/task-servers.ts';

const [fromNpm, python, fastMcp3] = await Promise.all([
  prepareClients(),
  preparePython(),
  prepareFastMcp3(),
]);
[fromNpm, python, fastMcp3].forEach(tellWhatIsMissing);

const programs = fileURLToPath(new URL('clients/', import.meta.url));
const ERAS: readonly Era[] = ['modern', 'legacy'];
/** As `textOrError` tells it. */
const asError = (message: string): unknown => expect.stringContaining(message);
const WHOLE = {
  ...WHOLE_TASKS,
  broken: asError(WHOLE_TASKS.broken),
  other: asError(WHOLE_TASKS.other),
};

/** In 2025-11-25 such a task has failed, and ext-tasks asks for no result of it: it throws its message. */
const failed = (era: Era): string => (era === 'modern' ? WHOLE.fail : 'it failed');

const missing = await whyNoRedis();
tellWhatIsMissing({ missing });
const SERVED: [string, () => Promise<TaskKit>][] = [['one server', serveTaskKit]];
if (missing === undefined) SERVED.push(['three nodes', serveTaskCluster]);

describe.each(SERVED)('%s', (name, serve) => {
  let kit: TaskKit;
  let before: OpenHandles;
  beforeAll(async () => {
    before = await countOpenHandles();
    kit = await serve();
  });
  afterAll(async () => {
    await kit[Symbol.asyncDispose]();
    await before.expectNoneLeft();
  });

  describe.each(ERAS)('tasks of the era %s', (era) => {
    test('the official requester of tasks, ext-tasks, makes tasks of every kind', async () => {
      expect(await taskWithExtTasks(kit.url, era)).toEqual({ ...WHOLE, fail: failed(era) });
    });

    test('ext-tasks takes a task up again, in another session', async () => {
      const ran = kit.events().filter((event) => event === 'work').length;
      expect(await resumeWithExtTasks(kit.url, era)).toBe('done');
      expect(kit.events().filter((event) => event === 'work')).toHaveLength(ran + 1);
    });

    test.skipIf('missing' in fromNpm)('the Inspector makes tasks of every kind', async () => {
      const { told: _, other: __, ...whole } = WHOLE;
      expect(await taskWithInspector(directoryOf(fromNpm), kit.url, era)).toEqual({
        ...whole,
        fail: failed(era),
      });
    });

    test('the official client 2.x, which knows no tasks, gets ordinary calls', async () => {
      const mode = era === 'modern' ? { pin: '2026-07-28' } : 'legacy';
      const client = new Client(
        { name: 'sdk-2', version: '0' },
        { versionNegotiation: { mode: mode as 'legacy' } },
      );
      await client.connect(new StreamableHTTPClientTransport(new URL(kit.url)));
      try {
        const call = (name: string, args = {}): Promise<unknown> =>
          client.callTool({ name, arguments: args });
        expect(resultText(await call('work', { steps: 3, stepMs: 100 }))).toBe('done');
        const code = era === 'modern' ? -32021 : -32601;
        await expect(call('only')).rejects.toMatchObject({ code });
      } finally {
        await client.close();
      }
    });

    test.skipIf('missing' in python)('so does the official client in Python', async () => {
      const args = [join(programs, 'mcp-client.py'), kit.url, era === 'modern' ? 'auto' : 'legacy'];
      const printed = await runClient(interpreterOf(directoryOf(python)), args);
      const only = era === 'modern' ? '-32021' : '-32601';
      expect(JSON.parse(printed)).toEqual({ work: 'done', only });
    });

    const fastMcp = era === 'modern' ? python : fastMcp3;
    test.skipIf('missing' in fastMcp)('FastMCP makes tasks of every kind', async () => {
      const args = [join(programs, 'fastmcp-client.py'), kit.url];
      const printed = await runClient(interpreterOf(directoryOf(fastMcp)), args);
      expect(JSON.parse(printed)).toEqual(WHOLE);
    });
  });

  test('the official client 1.x makes tasks of every kind', async () => {
    expect(await taskWithSdk1(kit.url)).toEqual({ ...WHOLE, listed: true });
  });

  // One server cannot go on elsewhere.
  describe.each(name === 'three nodes' ? ERAS : [])(
    'a task of the era %s whose node dies',
    (era) => {
      afterEach(() => kit.repair?.());
      const died = (key: string): boolean => kit.events().includes(`died of ${key}`);

      test('completes for ext-tasks', async () => {
        const key = `ext-tasks ${era}`;
        expect(await surviveWithExtTasks(kit.url, era, key)).toBe('done');
        expect(died(key)).toBe(true);
      });

      test.skipIf('missing' in fromNpm)('completes for the Inspector', async () => {
        const key = `inspector-${era}`;
        const shown = await surviveWithInspector(directoryOf(fromNpm), kit.url, era, key);
        expect(shown).toBe('done');
        expect(died(key)).toBe(true);
      });

      const fastMcp = era === 'modern' ? python : fastMcp3;
      test.skipIf('missing' in fastMcp)('completes for FastMCP', async () => {
        const key = `fastmcp ${era}`;
        const args = [join(programs, 'fastmcp-client.py'), kit.url, key];
        const printed = await runClient(interpreterOf(directoryOf(fastMcp)), args);
        expect(JSON.parse(printed)).toEqual({ survive: 'done' });
        expect(died(key)).toBe(true);
      });
    },
  );
});
