import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { removeFolder } from '../../../../test/support/remove-folder.ts';
import { open } from '../fixture.ts';
import { bundle } from '../support/bundle.ts';
import { LegacySession, messageWhere } from './legacy-session.ts';
import { call, get, until } from './task-server.ts';

let program: Awaited<ReturnType<typeof bundle>>;
let folder: string;
beforeAll(async () => {
  program = await bundle(new URL('restart-program.ts', import.meta.url));
  folder = await mkdtemp(join(tmpdir(), 'longwire-tasks-'));
});
afterAll(async () => {
  await program.remove();
  await removeFolder(folder);
});

/** A process that serves with tasks on disk. */
async function started(): Promise<{ url: string; kill(): Promise<void> }> {
  const child = fork(program.path, [folder]);
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  open.push(kill);
  const [url] = (await once(child, 'message')) as [string];
  return { url, kill };
}

it('runs again after a restart, when somebody asks for it, what may run twice', async () => {
  const before = await started();
  const session = await LegacySession.open(before.url);
  const taskId = await session.task('greet_again');
  await session.until(taskId, ({ status }) => status === 'input_required');
  await before.kill();
  const after = await started();
  const again = await LegacySession.open(after.url);
  await again.until(taskId, ({ status }) => status === 'input_required');
  const waiting = await again.begin('tasks/result', { taskId });
  const asked = await messageWhere(waiting.stream, ({ method }) => method !== undefined);
  await again.tell({ id: asked.id, result: { action: 'accept', content: { name: 'Ada' } } });
  expect(await messageWhere(waiting.stream, ({ id }) => id === waiting.id)).toMatchObject({
    result: { content: [{ text: 'Hello, Ada' }] },
  });
  await waiting.stream[Symbol.asyncDispose]();
});

it('answers after a restart for what had finished, and says what was lost, in both eras', async () => {
  const before = await started();
  const session = await LegacySession.open(before.url);
  const done = await session.task('quick');
  const lost = await session.task('gate');
  await session.until(done, ({ status }) => status === 'completed');
  await session.until(lost, (task) => 'statusMessage' in task);
  const modern = (await call(before.url, 'quick')).result?.['taskId'];
  await until(before.url, modern, ({ status }) => status === 'completed');
  const waiting = await session.begin('tasks/result', { taskId: lost });
  await before.kill();
  waiting.stream.close();
  const after = await started();
  const again = await LegacySession.open(after.url);
  expect((await again.ask('tasks/result', { taskId: done })).result).toMatchObject({
    content: [{ text: 'quick' }],
  });
  expect((await again.ask('tasks/get', { taskId: lost })).result).toMatchObject({
    status: 'failed',
  });
  const { error } = await again.ask('tasks/result', { taskId: lost });
  expect(error).toMatchObject({
    code: -32603,
    message: 'The server was restarted while this ran: a part of it may have run',
    data: { certainty: 'outcome-unknown' },
  });
  expect(await get(after.url, modern)).toMatchObject({
    status: 'completed',
    result: { content: [{ text: 'quick' }] },
  });
  expect(await get(after.url, lost)).toMatchObject({ status: 'failed', error });
});
