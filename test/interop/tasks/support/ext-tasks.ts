import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  createTaskSessionFromClient,
  resultFromTaskOutcome,
  type TaskEnabledSession,
} from '@modelcontextprotocol/ext-tasks/client';
import type { Era } from './eras.ts';
import { dispatchTo, MODERN } from './raw-dispatch.ts';
import { LONG_WORK, resultText, SOME_WORK, textOrError, type TaskReport } from './task-report.ts';

const IDENTITY = { name: 'ext-tasks', version: '0' };
const CAPABILITIES = { elicitation: { form: {} } };

/** Lets the official requester of tasks, over the official client, make tasks of every kind. */
export async function taskWithExtTasks(url: string, era: Era): Promise<TaskReport> {
  const questions: string[] = [];
  await using ada = await openSession(url, era, 'ada', questions);
  await using bob = await openSession(url, era, 'bob', []);
  const call = async (name: string, args = {}): Promise<unknown> => {
    const execution = await ada.callTool(name, args);
    const { outcome } = await execution.settle();
    return resultFromTaskOutcome(outcome);
  };

  const told: string[] = [];
  const working = await ada.callTool('work', SOME_WORK, { task: { preference: 'prefer' } });
  const { outcome } = await working.settle({
    onEvent: (event) => {
      if (event.type === 'task') told.push(event.task.statusMessage ?? '');
    },
  });
  const long = await ada.callTool('work', LONG_WORK, { task: { preference: 'prefer' } });
  if (long.kind !== 'task') throw new Error('it is no task');
  const { taskId } = long.handle;
  const other = await textOrError(bob.task(taskId).snapshot());
  await long.cancel();
  const { status: cancelled } = await long.result();
  return {
    echo: resultText(await call('echo', { message: 'hé' })),
    work: resultText(resultFromTaskOutcome(outcome)),
    told: working.kind === 'task' && told.some((message) => message.startsWith('step ')),
    only: await textOrError(call('only')),
    ask: await textOrError(call('ask')),
    questions,
    fail: await textOrError(call('fail')),
    broken: await textOrError(call('broken')),
    cancelled,
    other,
  };
}

/** Begins a task, hands it on, and takes it up in another session. */
export async function resumeWithExtTasks(url: string, era: Era): Promise<string> {
  let reference: Parameters<TaskEnabledSession['resumeTask']>[0] | undefined;
  // Its `close()` cancels what has not ended, what was handed on included: it is closed afterwards.
  await using first = await openSession(url, era, 'ada', []);
  const execution = await first.callTool('work', SOME_WORK, { task: { preference: 'prefer' } });
  if (execution.kind !== 'task') throw new Error('it is no task');
  await execution.handoff((given) => void (reference = given));
  if (reference === undefined) throw new Error('there is no reference');
  await using second = await openSession(url, era, 'ada', []);
  const { outcome } = await (await second.resumeTask(reference)).settle();
  return resultText(resultFromTaskOutcome(outcome));
}

/** What the task comes to whose first node dies. */
export async function surviveWithExtTasks(url: string, era: Era, key: string): Promise<string> {
  await using session = await openSession(url, era, 'ada', []);
  const execution = await session.callTool('survive', { key }, { task: { preference: 'prefer' } });
  const { outcome } = await execution.settle();
  return resultText(resultFromTaskOutcome(outcome));
}

async function openSession(
  url: string,
  era: Era,
  user: string,
  questions: string[],
): Promise<TaskEnabledSession> {
  const headers = { authorization: `Bearer ${user}` };
  const client = new Client(IDENTITY, {
    capabilities: CAPABILITIES,
    versionNegotiation: { mode: era === 'modern' ? { pin: MODERN } : 'legacy' },
  });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  );
  const common = {
    endpointId: url,
    onInputRequest: ((request: { params?: Record<string, unknown> }) => {
      questions.push(String(request.params?.['message']));
      return Promise.resolve({ action: 'accept', content: { name: 'Ada' } });
    }) as never,
  };
  const session =
    era === 'legacy'
      ? createTaskSessionFromClient(client, common)
      : createTaskSessionFromClient(client, {
          ...common,
          rawDispatch: dispatchTo(url, headers),
          v2RequestFraming: {
            protocolVersion: MODERN,
            clientInfo: IDENTITY,
            clientCapabilities: CAPABILITIES,
          },
        });
  const close = session.close.bind(session);
  return Object.assign(session, {
    [Symbol.asyncDispose]: async () => {
      await close();
      await client.close();
    },
  });
}
