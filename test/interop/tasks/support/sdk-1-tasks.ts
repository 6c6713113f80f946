import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { until } from '../../../support/until.ts';
import { LONG_WORK, resultText, SOME_WORK, textOrError, type TaskReport } from './task-report.ts';

/** Lets the official client 1.x, which has tasks as an experiment, make tasks of every kind. */
export async function taskWithSdk1(url: string): Promise<TaskReport & { listed: boolean }> {
  const questions: string[] = [];
  const ada = await open(url, 'ada');
  const bob = await open(url, 'bob');
  ada.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    questions.push(params.message);
    return { action: 'accept' as const, content: { name: 'Ada' } };
  });
  try {
    // It learns from them which tools want a task.
    await ada.listTools();
    const told: string[] = [];
    const call = async (name: string, args = {}, options = {}): Promise<unknown> => {
      const params = { name, arguments: args };
      const schema = CallToolResultSchema;
      let taskId: string | undefined;
      for await (const message of ada.experimental.tasks.callToolStream(params, schema, options)) {
        if (message.type === 'taskStatus') told.push(message.task.statusMessage ?? '');
        if (message.type === 'taskCreated') ({ taskId } = message.task);
        if (message.type === 'result') return message.result;
        if (message.type !== 'error') continue;
        // It says of a task only that it has failed.
        if (taskId === undefined) throw message.error;
        return await ada.experimental.tasks.getTaskResult(taskId, schema);
      }
      throw new Error('the stream ended without a result');
    };
    const work = resultText(await call('work', SOME_WORK, { task: { ttl: 60_000 } }));
    const wasTold = told.some((message) => message.startsWith('step '));
    const taskId = await begin(ada, LONG_WORK);
    const { tasks } = await ada.experimental.tasks.listTasks();
    const other = await textOrError(bob.experimental.tasks.getTask(taskId));
    await ada.experimental.tasks.cancelTask(taskId);
    let cancelled = '';
    await until(async () => {
      cancelled = (await ada.experimental.tasks.getTask(taskId)).status;
      return cancelled !== 'working';
    });
    return {
      echo: resultText(await call('echo', { message: 'hé' })),
      work,
      told: wasTold,
      only: await textOrError(call('only')),
      ask: await textOrError(call('ask')),
      questions,
      fail: await textOrError(call('fail')),
      broken: await textOrError(call('broken')),
      cancelled,
      other,
      listed: tasks.some((task) => task.taskId === taskId),
    };
  } finally {
    await ada.close();
    await bob.close();
  }
}

/** Makes a task and leaves its stream. */
async function begin(client: Client, args: Record<string, unknown>): Promise<string> {
  const params = { name: 'work', arguments: args };
  const options = { task: { ttl: 60_000 } };
  const { callToolStream } = client.experimental.tasks;
  const stream = callToolStream.call(client.experimental.tasks, params, undefined, options);
  for await (const message of stream) {
    if (message.type === 'taskCreated') return message.task.taskId;
  }
  throw new Error('it is no task');
}

async function open(url: string, user: string): Promise<Client> {
  const client = new Client(
    { name: 'sdk-1', version: '0' },
    { capabilities: { elicitation: { form: {} } } },
  );
  const requestInit = { headers: { authorization: `Bearer ${user}` } };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit });
  // Its declarations do not suit exactOptionalPropertyTypes.
  await client.connect(transport as unknown as Parameters<typeof client.connect>[0]);
  return client;
}
