import {
  connect,
  type CallToolResult,
  type LongwireClient,
  type TaskHandle,
} from '@longwire/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../../support/open-handles.ts';
import { everythingCommand, startEverything, type Peer } from '../../support/peers.ts';
import { until } from '../../support/until.ts';
import { directoryOf, tellWhatIsMissing } from '../support/missing.ts';
import { LIBRARIES, MCP_GO, startTaskServer, type TaskServer } from './support/task-servers.ts';

const textOf = ({ content }: CallToolResult): unknown => content[0];
const said = (text: string): unknown => ({ type: 'text', text });
const LONG = { steps: 600, stepMs: 100 };
/** A test of the libraries for which it makes sense: for the others there is none. */
const testWhere = (makesSense: boolean): ((name: string, body: () => Promise<void>) => void) =>
  makesSense ? test : () => {};

for (const library of [...LIBRARIES, ...MCP_GO]) {
  const prepared = await library.prepare();
  tellWhatIsMissing(prepared);

  const name = `tasks of ${library.name}, over ${library.output}`;
  describe.skipIf('missing' in prepared)(name, () => {
    expectNothingLeftOpen();
    let server: TaskServer;
    beforeAll(async () => {
      server = await startTaskServer(library, directoryOf(prepared));
    });
    afterAll(() => server[Symbol.asyncDispose]());

    test('a tool without tasks is called as ever', async () => {
      await using client = await server.connect();
      const tasks: TaskHandle[] = [];
      const onTask = (task: TaskHandle): unknown => tasks.push(task);
      const result = await client.callTool('echo', { message: 'hé' }, { onTask });
      expect(textOf(result)).toEqual(said('Echo: hé'));
      expect(tasks).toEqual([]);
    });

    testWhere(!library.cancelsAtOnce)(
      'a task ends with its one result, and is told of',
      async () => {
        await using client = await server.connect();
        const ran = await server.happened('work');
        const tasks: TaskHandle[] = [];
        const told: (string | undefined)[] = [];
        const result = await client.callTool(
          'work',
          { steps: 4, stepMs: 400 },
          {
            onTask: (task) => tasks.push(task),
            onProgress: ({ message }) => told.push(message),
          },
        );
        expect(textOf(result)).toEqual(said('done'));
        expect(await server.happened('work')).toBe(ran + 1);
        expect(tasks).toHaveLength(1);
        // It is asked every 200 ms.
        expect(told).toEqual(expect.arrayContaining(['step 2', 'step 3']));
        const state = await tasks[0]?.status();
        expect(state).toMatchObject({ taskId: tasks[0]?.taskId, status: 'completed' });
      },
    );

    testWhere(!library.cancelsAtOnce)('a task is taken up by another client', async () => {
      const ran = await server.happened('work');
      const first = await server.connect();
      const task = await new Promise<TaskHandle>((resolve, reject) => {
        first.callTool('work', { steps: 8, stepMs: 200 }, { onTask: resolve }).catch(reject);
      });
      await first.close();
      await using second = await server.connect();
      const again = second.task(task.taskId);
      expect(await again.status()).toMatchObject({ taskId: task.taskId, status: 'working' });
      expect(textOf(await again.result())).toEqual(said('done'));
      expect(await server.happened('work')).toBe(ran + 1);
    });

    testWhere(library.asks)('what a task asks reaches the program once', async () => {
      const questions: unknown[] = [];
      await using client = await server.connect({
        handlers: {
          elicitation: ({ message }) => {
            questions.push(message);
            return { action: 'accept', content: { name: 'Ada' } };
          },
        },
      });
      const result = await client.callTool('ask');
      expect(textOf(result)).toEqual(said('Hello, Ada'));
      expect(questions).toEqual(['Who are you?']);
    });

    test('a task fails in the words of its tool, and in those of the protocol', async () => {
      await using client = await server.connect();
      const failed = await client.callTool('fail');
      expect(failed).toMatchObject({ isError: true, content: [said('it failed')] });
      const { broken } = library;
      const call = client.callTool('broken');
      if ('isError' in broken) {
        expect(await call).toMatchObject({ isError: true, content: [said(broken.text)] });
      } else {
        const { message, ...rest } = broken;
        await expect(call).rejects.toMatchObject({
          ...rest,
          certainty: 'answered',
          message: expect.stringContaining(message) as unknown,
          taskId: expect.any(String) as unknown,
        });
      }
    });

    testWhere(!library.cancelsAtOnce)('a call that its signal ends ends there, too', async () => {
      await using client = await server.connect();
      const cancelled = await server.happened('work cancelled');
      const ran = await server.happened('work');
      const ending = new AbortController();
      let task: TaskHandle | undefined;
      const options = { signal: ending.signal, onTask: (made: TaskHandle) => void (task = made) };
      const ended = expect(client.callTool('work', LONG, options)).rejects.toMatchObject({
        code: 'aborted',
        certainty: 'outcome-unknown',
        taskId: expect.any(String) as unknown,
      });
      await until(async () => (await server.happened('work')) > ran && task !== undefined);
      ending.abort();
      await ended;
      await until(async () => (await server.happened('work cancelled')) > cancelled);
      await until(async () => (await task?.status())?.status === 'cancelled');
    });

    testWhere(!library.cancelsAtOnce)('a task that its handle cancels ends', async () => {
      await using client = await server.connect();
      const ran = await server.happened('work');
      let task: TaskHandle | undefined;
      const call = client.callTool('work', LONG, { onTask: (made) => (task = made) });
      const ended = expect(call).rejects.toMatchObject({
        code: 'aborted',
        certainty: 'outcome-unknown',
      });
      await until(async () => (await server.happened('work')) > ran && task !== undefined);
      await task?.cancel();
      await ended;
    });

    test('a task that there is not is not waited for', async () => {
      await using client = await server.connect();
      await expect(client.task('nobody-made-this').result()).rejects.toMatchObject({
        code: 'server-error',
        number: -32602,
      });
    });

    testWhere(library.knowsUsers)("nobody sees another's task", async () => {
      await using ada = await server.connect();
      await using bob = await server.connect({}, 'bob');
      const ending = new AbortController();
      const task = await new Promise<TaskHandle>((resolve, reject) => {
        const options = { signal: ending.signal, onTask: resolve };
        ada.callTool('work', LONG, options).catch(reject);
      });
      await expect(bob.task(task.taskId).status()).rejects.toMatchObject({ number: -32602 });
      expect(await ada.task(task.taskId).status()).toMatchObject({ status: 'working' });
      await task.cancel();
    });
  });
}

for (const library of MCP_GO) {
  const prepared = await library.prepare();

  describe.skipIf('missing' in prepared)(`tasks of ${library.name}, over ${library.output}`, () => {
    expectNothingLeftOpen();
    let server: TaskServer;
    beforeAll(async () => {
      server = await startTaskServer(library, directoryOf(prepared));
    });
    afterAll(() => server[Symbol.asyncDispose]());

    test('a task that its server cancels is no success', async () => {
      await using client = await server.connect();
      const call = client.callTool('work', { steps: 5, stepMs: 100 }, { onTask: () => {} });
      await expect(call).rejects.toMatchObject({
        code: 'aborted',
        certainty: 'outcome-unknown',
        taskId: expect.any(String) as unknown,
      });
    });

    test('a tool that does not stop for that ends with its result', async () => {
      await using client = await server.connect();
      const ran = await server.happened('write');
      const result = await client.callTool('write', { waitMs: 300 }, { onTask: () => {} });
      expect(textOf(result)).toEqual(said('written'));
      expect(await server.happened('write')).toBe(ran + 1);
    });

    test('a tool that may be a task is called in the ordinary way, unless a task is wanted', async () => {
      await using client = await server.connect();
      const result = await client.callTool('work', { steps: 2, stepMs: 100 });
      expect(textOf(result)).toEqual(said('done'));
    });

    test('after that, no more tasks are made where a call does as well', async () => {
      await using client = await server.connect();
      const args = { steps: 2, stepMs: 100 };
      const onTask = (): void => {};
      await expect(client.callTool('work', args, { onTask })).rejects.toThrow('cancelled');
      expect(textOf(await client.callTool('work', args, { onTask }))).toEqual(said('done'));
    });
  });
}

describe.each(['stdio', 'streamableHttp'] as const)('server-everything over %s', (mode) => {
  expectNothingLeftOpen();
  const QUERY = 'simulate-research-query';
  let peer: Peer | undefined;
  beforeAll(async () => {
    if (mode === 'streamableHttp') peer = await startEverything({ mode });
  });
  afterAll(() => peer?.stop());
  const open = (questions: unknown[] = []): Promise<LongwireClient> =>
    connect(peer?.url ?? everythingCommand(), {
      protocol: '2025-11-25',
      timeouts: { connectMs: 30_000 },
      handlers: {
        elicitation: ({ message }) => {
          questions.push(message);
          return { action: 'accept', content: { interpretation: 'snake' } };
        },
      },
    });

  test('a research asks, tells its stages and ends with a report', async () => {
    const questions: unknown[] = [];
    await using client = await open(questions);
    const told: (string | undefined)[] = [];
    const args = { topic: 'python', ambiguous: true };
    const result = await client.callTool(QUERY, args, {
      onProgress: ({ message }) => told.push(message),
    });
    expect(textOf(result)).toMatchObject({
      text: expect.stringContaining('# Research Report: python (snake)') as unknown,
    });
    expect(questions).toEqual([expect.stringContaining('could have multiple interpretations')]);
    expect(told).toEqual(expect.arrayContaining(['Analyzing content...', 'Generating report...']));
  });

  test('a research is cancelled', async () => {
    await using client = await open();
    const ending = new AbortController();
    let task: TaskHandle | undefined;
    const call = client.callTool(
      QUERY,
      { topic: 'go' },
      { signal: ending.signal, onTask: (made) => (task = made), onProgress: () => ending.abort() },
    );
    await expect(call).rejects.toMatchObject({ code: 'aborted', certainty: 'outcome-unknown' });
    await until(async () => (await task?.status())?.status === 'cancelled');
    await expect(task?.result()).rejects.toMatchObject({ taskId: task?.taskId });
  });
});
