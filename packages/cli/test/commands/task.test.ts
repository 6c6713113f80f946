import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { run, type Run } from '../run.ts';
import { serveWaiting, type WaitingServer } from '../tasks/waiting-server.ts';
import { serveThings } from '../things-server.ts';

describe.each(['2026-07-28', '2025-11-25'])('in %s', (protocol) => {
  const runHere: typeof run = (words, options) => run([...words, '--protocol', protocol], options);

  /** Calls a tool, leaves it, and gives the id of its task. */
  async function detached({ url }: WaitingServer, tool: string): Promise<string> {
    const { code, stdout, stderr } = await runHere(['call', url, tool, '--detach', '--quiet']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^[\da-f]+\n$/);
    return stdout.trim();
  }

  function task({ url }: WaitingServer, ...words: string[]): Promise<Run> {
    return runHere(['task', url, ...words]);
  }

  async function statusOf(server: WaitingServer, id: string): Promise<Record<string, unknown>> {
    const { stdout } = await task(server, id, '--status', '--json');
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it('call --detach prints the id of the task alone, and task prints what comes of it', async () => {
    await using server = await serveWaiting();
    const left = await runHere(['call', server.url, 'gate', '--detach']);
    const id = left.stdout.trim();
    expect(left).toEqual({
      code: 0,
      stdout: `${id}\n`,
      stderr: `It goes on; longwire task ${server.url} ${id} takes it up.\n`,
    });
    expect(await statusOf(server, id)).toMatchObject({ taskId: id, status: 'working' });
    const taken = task(server, id);
    server.open();
    expect(await taken).toEqual({ code: 0, stdout: 'gone through\n', stderr: '' });
    expect(server.said).toEqual(['begun']);
    // The result is kept, and can be had again, in the form of a call's.
    const { content } = JSON.parse((await task(server, id, '--json')).stdout) as {
      content: unknown;
    };
    expect(content).toEqual([{ type: 'text', text: 'gone through' }]);
  });

  it('call --detach --json prints all that is known of the task', async () => {
    await using server = await serveWaiting();
    const { code, stdout } = await runHere(['call', server.url, 'gate', '--detach', '--json']);
    expect(code).toBe(0);
    const { task: made } = JSON.parse(stdout) as { task: Record<string, unknown> };
    expect(made).toMatchObject({ status: 'working', server: new URL(server.url).host });
    expect(await statusOf(server, String(made['taskId']))).toMatchObject({ status: 'working' });
    server.open();
  });

  it('answers what the task asks for', async () => {
    await using server = await serveWaiting();
    const id = await detached(server, 'greet');
    await until(async () =>
      expect(await statusOf(server, id)).toMatchObject({ status: 'input_required' }),
    );
    const { stdout } = await task(server, id, '--status');
    expect(stdout).toMatch(/^status {4}waits for an answer$/m);
    expect(await task(server, id, '--answer', 'name=Ann')).toMatchObject({
      code: 0,
      stdout: 'Hello, Ann\n',
    });
  });

  it('shows how far the task is', async () => {
    await using server = await serveWaiting();
    const id = await detached(server, 'gate');
    await until(async () => {
      const { stdout } = await task(server, id, '--status');
      expect(stdout).toMatch(/at the gate$/m);
    });
    server.open();
  });

  it('an error of the tool: 1, its words on stdout', async () => {
    await using server = await serveWaiting();
    const id = await detached(server, 'fails');
    const { code, stdout, stderr } = await task(server, id);
    expect([code, stdout]).toEqual([1, 'it went wrong\n']);
    expect(stderr).toBe(`The task ${id} reported an error.\n`);
  });

  it('--cancel ends it, and says what it has become', async () => {
    await using server = await serveWaiting();
    const id = await detached(server, 'gate');
    const cancelled = await task(server, id, '--cancel');
    expect(cancelled.code).toBe(0);
    expect(cancelled.stdout).toMatch(/^status {4}cancelled$/m);
    expect(server.said).toEqual(['begun', 'aborted']);
    const { code, stderr } = await task(server, id);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^error: the task ${id} was cancelled on the server`));
  });

  it('--cancel of a task that has ended: 1, and how to have its result', async () => {
    await using server = await serveWaiting();
    const id = await detached(server, 'gate');
    server.open();
    await task(server, id);
    const { code, stdout, stderr } = await task(server, id, '--cancel');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^status {4}completed$/m);
    expect(stderr).toMatch(/^It had ended before .*; longwire task \S+ \S+ prints its result\.$/m);
  });

  it.each([[], ['--status'], ['--cancel']])(
    'an id that the server does not know: 1 %j',
    async (...option) => {
      await using server = await serveWaiting();
      const { code, stdout, stderr } = await task(server, 'nonsense', ...option);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^error: the server knows no task nonsense: it has expired or /);
    },
  );

  it('a task whose time is over: 5, and it goes on', async () => {
    await using server = await serveWaiting();
    const id = await detached(server, 'gate');
    const { code, stderr } = await task(server, id, '--deadline', '700ms');
    expect(code).toBe(5);
    expect(stderr).toBe(
      `error: the task ${id} has not ended in time, and may go on: longwire task ${server.url} ${id} takes it up; a longer --deadline allows more\n`,
    );
    expect(await statusOf(server, id)).toMatchObject({ status: 'working' });
    server.open();
  });

  it('a call whose time is over: 5, and its task is cancelled', async () => {
    await using server = await serveWaiting();
    const words = ['call', server.url, 'gate', '--deadline', '1s', '--json'];
    const { code, stdout, stderr } = await runHere(words);
    expect(code).toBe(5);
    const { error } = JSON.parse(stdout) as { error: Record<string, unknown> };
    const id = String(error['taskId']);
    expect(stderr).toContain(`the task ${id} was cancelled; a longer --deadline allows more`);
    await until(() => expect(server.said).toEqual(['begun', 'aborted']));
    expect(await statusOf(server, id)).toMatchObject({ status: 'cancelled' });
  });
});

describe('call --detach', () => {
  it('prints the result of a call that becomes no task', async () => {
    await using server = await serveWaiting();
    const words = ['call', server.url, 'quick', '--detach', '--protocol', '2026-07-28'];
    expect(await run(words)).toEqual({
      code: 0,
      stdout: 'quick\n',
      stderr: 'The call was answered, and became no task.\n',
    });
  });

  it.each([
    [['call', 'echo', '--detach', '--', 'some-server'], /ends with it, and its tasks do, too/],
    [['call', 'http://127.0.0.1:1', 'echo', '--detach', '--out', 'x'], /give it to longwire task/],
  ])('%j: 2', async (words, says) => {
    const { code, stderr } = await run(words);
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
  });

  it('calls nothing where the server has no tasks: 2', async () => {
    await using things = await serveThings();
    const { code, stdout, stderr } = await run(['call', things.url, 'gate', '--detach']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: this server has no tasks \(protocol [\d-]+\)\n$/);
  });

  it('calls nothing where the tool cannot become a task: 2', async () => {
    await using server = await serveWaiting({ tasks: { quick: 'optional' } });
    const words = ['call', server.url, 'gate', '--detach', '--protocol', '2025-11-25'];
    const { code, stdout, stderr } = await run(words);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: the server does not make tasks of calls of gate, /);
    expect(server.said).toEqual([]);
  });
});

describe('task', () => {
  it('takes the server and the id in either order', async () => {
    await using server = await serveWaiting();
    const { stdout } = await run(['call', server.url, 'gate', '--detach']);
    const id = stdout.trim();
    server.open();
    for (const words of [
      [server.url, id],
      [id, server.url],
    ]) {
      expect(await run(['task', ...words])).toMatchObject({ code: 0, stdout: 'gone through\n' });
    }
    const env = { MCP_SERVER_URL: server.url };
    expect(await run(['task', id], { env })).toMatchObject({ code: 0, stdout: 'gone through\n' });
  });

  it.each([
    [['task'], /no task given/],
    [['task', 'http://127.0.0.1:1'], /no task given/],
    [['task', 'http://127.0.0.1:1', ''], /no task given/],
    [['task', 'cancel', 'a', 'http://127.0.0.1:1'], /write cancel as an option, after the id/],
    [['task', 'http://127.0.0.1:1', 'a', 'b'], /"b" is one word too many/],
    [['task', 'http://127.0.0.1:1', 'a', '--cancel', '--status'], /leave out --status/],
    [['task', 'http://127.0.0.1:1', 'a', '--status', '--out', 'x'], /--out is for the result/],
  ])('%j: 2', async (words, says) => {
    const { code, stderr } = await run(words);
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
  });

  it('a server that has no tasks: 2; that is not there: 3', async () => {
    await using things = await serveThings();
    expect(await run(['task', things.url, 'a'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: this server has no tasks/) as string,
    });
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    expect(await run(['task', `http://127.0.0.1:${port}/mcp`, 'a'])).toMatchObject({ code: 3 });
  });
});
