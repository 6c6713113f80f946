import type { RequestId } from '@modelcontextprotocol/client';
import { expect, vi } from 'vitest';
import { isAway } from '../../../src/connection/retry.ts';
import { LongwireError } from '../../../src/errors.ts';
import { FIRST_DELAY_MS, MAX_ATTEMPTS, type Call, type Program } from './program.ts';
import type { ScriptedChannel, ScriptedServer } from './server.ts';

/** How a server answers, right or wrong. */
export type Answering = 'right' | 'string' | 'guess' | 'repeated' | 'unreadable' | 'stolen';

/** The numbered invariants of `docs/connection.md` that can be seen from outside. */
export class Checks {
  readonly #server: ScriptedServer;
  readonly #program: Program;
  /** The call of each id on the wire; ids without one are of the connection itself. */
  readonly #callOf = new Map<RequestId, Call>();
  readonly #answered = new Set<RequestId>();
  readonly #violations: Error[] = [];
  #dials = 0;
  #dialledAt = -Infinity;
  #statesSeen = 0;
  #dueAt = Infinity;

  constructor(server: ScriptedServer, program: Program) {
    this.#server = server;
    this.#program = program;
    server.onDial = () => this.#during(() => this.#dialled());
    server.onGiven = (channel, { id }) => {
      this.#during(() => {
        // 6, 14: a request is sent on the one session that is not lost.
        expect(channel === server.channel).toBe(true);
        expect(program.connection.state.name).toBe('ready');
      });
      const call = program.open.find(({ context }) => context.id === id);
      if (call !== undefined) this.#callOf.set(id, call);
    };
  }

  /** Lets the server answer a request of the session, and checks who gets the answer. */
  answer(as: Answering, nth: number): void {
    const channel = this.#server.channel;
    const isReady = this.#program.connection.state.name === 'ready';
    if (channel !== undefined && isReady) this.answerOn(channel, as, nth);
  }

  /** As `answer`, on a session that may be lost. */
  answerOn(channel: ScriptedChannel, as: Answering, nth: number): void {
    if (as === 'stolen') {
      this.#steal(channel);
      return;
    }
    const { connection } = this.#program;
    const isRepeated = as === 'repeated';
    const seen = channel.session.seen.filter(({ id }) => this.#answered.has(id) === isRepeated);
    const request = seen[nth % Math.max(1, seen.length)];
    if (request === undefined) return;
    const { id, params } = request;
    const highest = Math.max(...this.#server.sends.map((send) => Number(send.request.id)));
    const named = { string: String(id), guess: highest + 1 + (nth % 2) }[as as string] ?? id;
    const call = this.#callOf.get(id);
    // 5: only the present id of a request that was sent on this session.
    const isTaken = named === id && call?.context.id === id && call.settled === 0;
    const { droppedAnswers } = connection;
    if (named === id) this.#answered.add(id);
    if (as === 'unreadable') {
      const error = new LongwireError('?', { code: 'protocol', certainty: 'answered' });
      channel.garble(error, id);
      return;
    }
    const result = { tag: params?.['tag'], tools: [] };
    channel.say({ jsonrpc: '2.0', id: named, result });
    if (call === undefined && named === id) return;
    expect(connection.droppedAnswers - droppedAnswers).toBe(isTaken ? 0 : 1);
  }

  /** Lets the server answer a request that another session was given, and is to answer. */
  #steal(channel: ScriptedChannel): void {
    const { connection } = this.#program;
    const others = this.#server.draining.filter((other) => other !== channel);
    const [id] = others.flatMap(({ drained }) => [...drained]);
    if (id === undefined) return;
    const { droppedAnswers } = connection;
    channel.say({ jsonrpc: '2.0', id, result: { tag: 'stolen' } });
    // 5
    expect(connection.droppedAnswers - droppedAnswers).toBe(1);
  }

  /** What must be true at any time. */
  look(): void {
    const [violation] = this.#violations;
    if (violation !== undefined) throw violation;
    this.#lookAtStates();
    this.#lookAtIds();
    for (const call of this.#program.calls) this.#lookAtCall(call);
    // 13: no session gets an answer to a request that it did not make.
    expect(this.#server.strayAnswers).toEqual([]);
    expect(this.#server.dialling.size).toBeLessThanOrEqual(1);
    this.#lookAtSessions();
    // 14
    const ids = new Set(this.#program.open.map(({ context }) => context.id as RequestId));
    const idle = this.#server.draining.filter(
      ({ drained }) => ![...drained].some((id) => ids.has(id)),
    );
    expect(idle).toEqual([]);
  }

  /** What must be true at the end. */
  end(): void {
    this.look();
    const { states } = this.#program;
    expect(states.filter(({ name }) => name === 'closed')).toEqual([states.at(-1)]);
    expect(this.#program.calls.filter(({ settled }) => settled !== 1)).toEqual([]);
  }

  /** An error thrown inside the connection would look like an error of the connection: it is kept. */
  #during(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#violations.push(error as Error);
    }
  }

  #lookAtStates(): void {
    const { connection, states, open } = this.#program;
    const { state } = connection;
    if (states.length > this.#statesSeen) {
      const { nextDelayMs = Infinity } = state.name === 'reconnecting' ? state : {};
      this.#dueAt = performance.now() + nextDelayMs;
    }
    this.#statesSeen = states.length;
    if (state.name === 'ready' && state.dialsSinceAnswer === 0) this.#dials = 0;
    // 11: the delay ends when the state says.
    if (state.name === 'reconnecting') expect(performance.now()).toBeLessThan(this.#dueAt + 30);
    if (state.name !== 'resting' && state.name !== 'closed') return;
    const { draining, dialling, channels } = this.#server;
    const drained = new Set(draining.flatMap((channel) => [...channel.drained]));
    // 9
    expect({
      open: open.filter(({ context }) => !drained.has(context.id ?? '')),
      timers: draining.length > 0 ? 0 : vi.getTimerCount(),
      dialling: dialling.size,
      channels: channels.filter(({ isClosed, isDraining }) => !isClosed && !isDraining).length,
    }).toEqual({ open: [], timers: 0, dialling: 0, channels: 0 });
  }

  #lookAtIds(): void {
    const { sends, handshakeIds } = this.#server;
    const ids = [...handshakeIds, ...sends.map(({ request }) => request.id)];
    expect(new Set(ids).size).toBe(ids.length);
  }

  #lookAtCall({ tag, safe, settled, error, result, context }: Call): void {
    expect(settled).toBeLessThanOrEqual(1);
    const departures = this.#server.departures.filter(
      ({ request }) => this.#callOf.get(request.id)?.tag === tag,
    );
    const mayHaveRun = departures.filter(({ refused }) => !refused).length;
    // 3
    expect(mayHaveRun).toBeLessThanOrEqual(safe ? MAX_ATTEMPTS + 1 : 1);
    // 4
    const isDenied = error?.certainty === 'not-sent' || error?.certainty === 'refused';
    if (isDenied && context.id !== undefined)
      expect({ tag, mayHaveRun }).toEqual({ tag, mayHaveRun: 0 });
    if (result !== undefined) expect(result).toMatchObject({ tag });
  }

  /** Requests of the connection itself belong to one session, and are made once on it. */
  #lookAtSessions(): void {
    const own = this.#server.sends
      .filter(({ request }) => request.method !== 'ping' && !this.#callOf.has(request.id))
      .map(({ channel, request: { method, params } }) =>
        JSON.stringify([channel.session.number, method, params]),
      );
    expect(new Set(own).size).toBe(own.length);
  }

  #dialled(): void {
    const now = performance.now();
    const before = this.#program.states.at(-1);
    if (before?.name === 'resting') {
      this.#dials = 1;
    } else {
      // 8
      expect(now - this.#dialledAt).toBeGreaterThanOrEqual(FIRST_DELAY_MS / 2);
      this.#dials++;
    }
    this.#dialledAt = now;
    // 7
    if (this.#dials <= MAX_ATTEMPTS) return;
    expect(this.#program.open).not.toEqual([]);
    expect(before?.name === 'reconnecting' && isAway(before.reason)).toBe(true);
  }
}
