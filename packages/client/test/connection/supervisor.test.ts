import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionLostError, LongwireError } from '../../src/errors.ts';
import { pass, Program, settle } from './scripted/program.ts';
import { ScriptedServer, type ScriptedChannel } from './scripted/server.ts';
import type { RetryOptions } from '../../src/options/connection-options.ts';

const scripted = vi.hoisted(() => ({ server: undefined as ScriptedServer | undefined }));
vi.mock('../../src/dial/dial.ts', () => ({
  dial: (options: never) => scripted.server?.dial(options),
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Rig {
  server: ScriptedServer;
  program: Program;
}

async function begin(retry: RetryOptions = {}): Promise<Rig> {
  const server = (scripted.server = new ScriptedServer());
  const program = new Program(retry);
  await program.start(server);
  return { server, program };
}

async function ready(): Promise<Rig> {
  const rig = await begin();
  await rig.program.finish();
  return rig;
}

const lost = (certainty: 'refused' | 'outcome-unknown' = 'outcome-unknown') =>
  new ConnectionLostError('lost', { certainty });

const isInitialized = (message: object): boolean =>
  'method' in message && message.method === 'notifications/initialized';

const channelOf = (server: ScriptedServer): ScriptedChannel => {
  if (server.channel === undefined) throw new Error('there is no channel');
  return server.channel;
};

describe('Supervisor', () => {
  it('ends a handshake once, and leaves no heartbeat behind, however late the program is', async () => {
    const { server, program } = await begin({ firstConnect: true });
    server.channel?.end(lost(), false);
    await pass(300);
    server.accept(false);
    await settle();
    await program.finish();
    const { length } = channelOf(server).sent.filter(isInitialized);
    await program.connection.close();
    expect({ length, timers: vi.getTimerCount() }).toEqual({ length: 1, timers: 0 });
  });

  it('answers a request of a new session that comes before its handshake is done (invariant 13)', async () => {
    const { server, program } = await ready();
    channelOf(server).end(lost(), true);
    await pass(200);
    server.accept(false, (channel) => channel.ask());
    await settle();
    expect(program.connection.state.name).toBe('ready');
    program.answer(0);
    await settle();
    expect(channelOf(server).session.asked.size).toBe(0);
    await program.connection.close();
  });

  it('answers no request of a session that is gone, also not on the next one (invariant 13)', async () => {
    const { server, program } = await ready();
    channelOf(server).ask();
    channelOf(server).end(lost(), true);
    program.answer(0);
    await pass(200);
    server.accept(false);
    await settle();
    channelOf(server).ask();
    channelOf(server).end(lost(), true);
    await pass(400);
    server.accept(true);
    await settle();
    expect(program.connection.state).toMatchObject({ name: 'ready', resumed: true });
    const sent = server.channels.flatMap((channel) => channel.sent);
    expect(sent.filter((message) => 'result' in message)).toEqual([]);
    await program.connection.close();
  });

  it('does not count the requests that restore a session as answers (invariant 7)', async () => {
    const { server, program } = await ready();
    program.call('subscribe', 1e6);
    await settle();
    channelOf(server).posts[0]?.accept();
    channelOf(server).say({ jsonrpc: '2.0', id: 2, result: {} });
    await settle();
    expect(program.connection.state).toMatchObject({ name: 'ready', dialsSinceAnswer: 0 });
    channelOf(server).end(lost(), false);
    await pass(200);
    server.accept(false);
    await settle();
    const [restored] = channelOf(server).posts;
    expect(restored?.request.method).toBe('resources/subscribe');
    restored?.accept();
    channelOf(server).say({ jsonrpc: '2.0', id: restored?.request.id ?? '', result: {} });
    await settle();
    expect(program.connection.state).toMatchObject({ name: 'ready', dialsSinceAnswer: 1 });
    await program.connection.close();
  });

  it('rests when only its own requests wait (invariants 7, 9)', async () => {
    const { server, program } = await ready();
    // A connection that no request uses is pinged.
    await pass(1600);
    const [ping] = channelOf(server).posts;
    expect(ping?.request.method).toBe('ping');
    ping?.fail(lost('refused'));
    await settle();
    channelOf(server).end(lost('refused'), false);
    for (let dial = 0; dial < 10; dial++) {
      await pass(2000);
      server.refuse('connect-failed');
      await settle();
    }
    expect(program.connection.state.name).toBe('resting');
    await program.connection.close();
  });

  it('fails no request that is made while it comes to rest, and reports its states in order', async () => {
    const { server, program } = await ready();
    const { connection } = program;
    channelOf(server).ask();
    await settle();
    const asked = vi.fn<(error: LongwireError) => void>();
    connection.onmessage = () => {
      const context = { certainty: 'not-sent' as const };
      connection.request({ method: 'ping' }, context).catch(asked);
    };
    channelOf(server).end(lost(), true);
    await pass(200);
    server.refuse('forbidden');
    await settle();
    const names = program.states.map(({ name }) => name);
    expect(names.at(-1)).toBe(connection.state.name);
    expect(asked).not.toHaveBeenCalled();
    await connection.close();
  });

  it('does not send a cancelled request that had not left a channel that is gone (invariant 4)', async () => {
    const { server, program } = await ready();
    program.call('tool', 1e6);
    await settle();
    const channel = channelOf(server);
    channel.end(lost(), true);
    const [call] = program.calls;
    if (call !== undefined) program.cancel(call);
    await settle();
    channel.posts[0]?.leave();
    expect(call?.error?.certainty).toBe('not-sent');
    expect(server.departures).toEqual([]);
    await pass(2000);
    await program.connection.close();
  });

  it('sends requests once that had not left a channel whose session is gone (invariant 3)', async () => {
    const { server, program } = await ready();
    program.call('tool', 1e6);
    await settle();
    const channel = channelOf(server);
    channel.end(lost(), true);
    await pass(200);
    server.accept(false);
    await settle();
    channel.posts[0]?.leave();
    channelOf(server).posts[0]?.leave();
    expect(server.departures).toHaveLength(1);
    await program.connection.close();
    await pass(2000);
  });

  it('holds no channel while it rests (invariant 9)', async () => {
    const { server, program } = await ready();
    program.call('tool', 1e6);
    await settle();
    channelOf(server).end(lost(), true);
    await pass(200);
    server.refuse('forbidden');
    await settle();
    expect(program.connection.state.name).toBe('resting');
    expect(server.channels.filter(({ isClosed }) => !isClosed)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
