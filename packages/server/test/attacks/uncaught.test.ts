import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { open } from '../fixture.ts';
import { ask as askStateless, toolCall } from '../stateless/requests.ts';
import { bundle } from '../support/bundle.ts';
import { ask, messagesIn } from './ask.ts';
import { sseSession, StreamableClient } from './attacked.ts';

/** A process that serves such tools. */
class Program {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;
  origin = '';
  ways: string[] = [];
  /** Its log. */
  stdout = '';
  stderr = '';

  private constructor(path: string, args: string[]) {
    this.child = fork(path, args, { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.exited = once(this.child, 'close');
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  static async start(path: string, ...args: string[]): Promise<Program> {
    const program = new Program(path, args);
    Object.assign(program, await program.told());
    return program;
  }

  /** What it tells next. */
  async told(): Promise<Record<string, unknown>> {
    const [message] = (await once(this.child, 'message')) as [Record<string, unknown>];
    return message;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

let bundled: Awaited<ReturnType<typeof bundle>>;
let program: Program;

beforeAll(async () => {
  bundled = await bundle(new URL('uncaught-program.ts', import.meta.url));
  program = await Program.start(bundled.path);
});

afterAll(async () => {
  await program.stop();
  await bundled.remove();
});

/** Another one, for a test that ends it. */
async function another(...args: string[]): Promise<Program> {
  const started = await Program.start(bundled.path, ...args);
  open.push(() => started.stop());
  return started;
}

const FAILED = { code: -32_603, message: expect.stringContaining('The call failed') as unknown };

describe('a call whose tool throws where nobody waits', () => {
  it('is answered over every transport, logged with its stack, and harms nobody', async () => {
    const { origin, ways } = program;
    expect(ways.length).toBeGreaterThan(10);
    const streamable = await StreamableClient.open(origin, 'mallory');
    const sse = await sseSession(origin, 'mallory');
    for (const way of ways) {
      const name = way.replaceAll(/\W/g, '_');
      const logged = program.stdout.length;
      expect((await streamable.call(name)).message, way).toMatchObject({ error: FAILED });
      const params = { name, arguments: {} };
      const body = { jsonrpc: '2.0', id: way, method: 'tools/call', params };
      await ask(sse.endpoint, { body });
      expect(JSON.parse(await sse.raw.nextOf('message'))).toEqual({
        jsonrpc: '2.0',
        id: way,
        error: FAILED,
      });
      const stateless = await askStateless(`${origin}/mcp`, toolCall(name));
      expect(messagesIn(stateless).at(-1), way).toMatchObject({ error: FAILED });
      const told = await ask(`${origin}/sse`, { body: { session_id: sse.id, tool: name } });
      expect(told.text, way).toMatch(/^event: error\ndata: .*The call failed/m);
      await until(() => linesSince(logged).length >= 4);
      expect(linesSince(logged).filter((line) => isOdd(way) || hasStack(line))).toHaveLength(4);
      expect((await streamable.call('note')).message).toHaveProperty('result');
    }
  });

  it('goes on where it was answered before', async () => {
    const { origin, ways } = program;
    const client = await StreamableClient.open(origin, 'mallory');
    for (const way of ways) {
      const logged = program.stdout.length;
      const answer = await client.call(`answered_${way.replaceAll(/\W/g, '_')}`);
      expect(answer.message).toHaveProperty('result');
      await until(() => linesSince(logged).length === 1);
    }
    expect((await client.call('note')).message).toHaveProperty('result');
  });
});

it('ends the process where a call throws and answerUncaught is off', async () => {
  const ended = await another('off');
  const client = await StreamableClient.open(ended.origin, 'mallory');
  const call = client.call('in_a_timer').catch(() => {});
  const [code] = await ended.exited;
  expect(code).toBe(1);
  expect(ended.stderr).toContain('Error: a misdeed');
  await call;
});

describe('an error of no call', () => {
  it.each(['throw', 'reject'])('ends the process, as without the kit: %s', async (how) => {
    const ended = await another();
    ended.child.send(how);
    const [code] = await ended.exited;
    expect(code).toBe(1);
    expect(ended.stderr).toMatch(/Error: of no call\n +at /);
  });

  it('goes to a listener of the program', async () => {
    const listening = await another();
    listening.child.send('listen');
    listening.child.send('throw');
    expect(await listening.told()).toEqual({ taken: 'of no call' });
  });
});

it('leaves no handler behind', async () => {
  const closed = await another();
  closed.child.send('close');
  expect(await closed.told()).toEqual({ left: 0 });
});

/** What the log says of uncaught errors. */
function linesSince(length: number): string[] {
  return program.stdout
    .slice(length)
    .split('\n')
    .filter((line) => line.includes('that nobody caught'));
}

function hasStack(line: string): boolean {
  return /"stack":"[^"]*\\n +at /.test(line);
}

/** What has no stack, or none that can be read. */
function isOdd(way: string): boolean {
  return /undefined|text|cannot be read|stack throws|error event$/.test(way);
}
