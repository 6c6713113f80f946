import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RetryPolicy } from '../../src/connection/retry.ts';
import {
  transition,
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
} from '../../src/connection/state.ts';
import { LongwireError, type ErrorCode } from '../../src/errors.ts';

const AWAY = ['connect-failed', 'connect-timeout', 'connection-lost', 'http-status'] as const;
const OTHERS = ['not-mcp', 'unauthorized', 'config', 'protocol', 'closed'] as const;

const reasonOf = (code: ErrorCode): LongwireError =>
  new LongwireError(code, { code, certainty: 'not-sent' });
const isAway = ({ code }: LongwireError): boolean => (AWAY as readonly string[]).includes(code);

const failure = fc.record({
  reason: fc
    .oneof(
      { weight: 6, arbitrary: fc.constantFrom<ErrorCode[]>(...AWAY) },
      fc.constantFrom(...OTHERS),
    )
    .map(reasonOf),
  requestsWait: fc.boolean(),
  askedMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(100_000)),
});
const readiness = fc.record({
  transport: fc.constant('sse' as const),
  address: fc.constant('http://127.0.0.1/messages'),
  connectMs: fc.nat(100),
  resumed: fc.boolean(),
});

const event: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('request-made' as const) }) },
  {
    weight: 4,
    arbitrary: readiness.map((ready) => ({ type: 'handshake-done' as const, ...ready })),
  },
  { weight: 6, arbitrary: failure.map((it) => ({ type: 'dial-failed' as const, ...it })) },
  { weight: 6, arbitrary: failure.map((it) => ({ type: 'channel-ended' as const, ...it })) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('answered' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('delay-over' as const), requestsWait: fc.boolean() }),
  },
);

const policies: fc.Arbitrary<RetryPolicy> = fc.record({
  maxAttempts: fc.nat(5),
  firstDelayMs: fc.integer({ min: 2, max: 500 }),
  maxDelayMs: fc.integer({ min: 500, max: 60_000 }),
  firstConnect: fc.boolean(),
  random: fc.double({ min: 0, max: 1, noNaN: true }).map((random) => () => random),
});

/** Executes effects by their names, and fails on an effect that is impossible. */
class World {
  readonly policy: RetryPolicy;
  state: ConnectionState = { name: 'idle' };
  /** What a dial opened, until it is closed. */
  hasSession = false;
  /** The delay that runs. */
  delayMs: number | undefined;
  /** Dials since the last answer, or since a request dialled a resting connection. */
  dials = 0;

  constructor(policy: RetryPolicy) {
    this.policy = policy;
  }

  /** Whether the event is possible now. */
  canHappen({ type }: ConnectionEvent): boolean {
    if (type === 'delay-over') return this.delayMs !== undefined;
    if (type === 'request-made' || type === 'close-requested') return true;
    return this.hasSession;
  }

  happen(happened: ConnectionEvent): Effect[] {
    const before = this.state;
    const { delayMs } = this;
    if (happened.type === 'delay-over') this.delayMs = undefined;
    const next = transition(before, happened, this.policy);
    if (next === undefined) {
      if (happened.type === 'delay-over') throw new Error('a delay ended in nothing');
      return [];
    }
    this.state = next.state;
    if (happened.type === 'answered') this.dials = 0;
    for (const effect of next.effects) this.#carryOut(effect, before, happened, delayMs);
    return next.effects;
  }

  #carryOut(
    effect: Effect,
    before: ConnectionState,
    happened: ConnectionEvent,
    delayMs: number | undefined,
  ): void {
    switch (effect.type) {
      case 'dial':
        // 6: the channel before is closed.
        expect(this.hasSession).toBe(false);
        this.hasSession = true;
        this.#dialled(before, happened, delayMs);
        break;
      case 'wait':
        expect(this.delayMs).toBeUndefined();
        this.delayMs = effect.ms;
        break;
      case 'close-channel':
        this.hasSession = false;
        this.delayMs = undefined;
        break;
      case 'send-waiting':
        expect(this.state.name).toBe('ready');
        expect(this.hasSession).toBe(true);
        break;
      case 'settle':
      case 'fail-all':
        expect(this.hasSession).toBe(false);
        break;
    }
  }

  #dialled(before: ConnectionState, happened: ConnectionEvent, delayMs: number | undefined): void {
    const { maxAttempts, firstDelayMs } = this.policy;
    if (happened.type === 'request-made') {
      expect(['idle', 'resting']).toContain(before.name);
      this.dials = 1;
      return;
    }
    // 8: any other dial comes after a delay.
    expect(delayMs).toBeGreaterThanOrEqual(Math.floor(firstDelayMs / 2));
    this.dials++;
    if (this.dials <= maxAttempts) return;
    // 7: after maxAttempts only for waiting requests, and only if the server is away.
    expect(happened).toMatchObject({ type: 'delay-over', requestsWait: true });
    expect(before.name === 'reconnecting' && isAway(before.reason)).toBe(true);
  }
}

/** Applies possible events one after the other, and checks the world after each. */
function run(
  policy: RetryPolicy,
  events: ConnectionEvent[],
  look: (world: World, effects: Effect[]) => void,
): World {
  const world = new World(policy);
  for (const happened of events) {
    if (world.canHappen(happened)) look(world, world.happen(happened));
  }
  return world;
}

const histories = fc.array(event, { maxLength: 60, size: 'max' });
const types = (effects: Effect[]): string[] => effects.map(({ type }) => type);

describe('any history of a connection', () => {
  it('dials within its attempts, after a delay, and holds at most one session (invariants 6, 7, 8)', () => {
    fc.assert(
      fc.property(policies, histories, (policy, events) => void run(policy, events, () => {})),
      {
        numRuns: 400,
      },
    );
  });

  it('counts its dials (invariant 7)', () => {
    fc.assert(
      fc.property(policies, histories, (policy, events) => {
        run(policy, events, ({ state, dials }) => {
          if (state.name === 'connecting') expect(state.attempt).toBe(dials);
          if (state.name === 'reconnecting') expect(state.attempt).toBe(dials + 1);
          if (state.name === 'ready') expect(state.dialsSinceAnswer).toBe(dials);
        });
      }),
    );
  });

  it('holds nothing when it rests or is closed (invariant 9)', () => {
    fc.assert(
      fc.property(policies, histories, fc.boolean(), (policy, events, closes) => {
        const world = run(policy, events, ({ state, hasSession, delayMs }, effects) => {
          if (state.name !== 'resting') return;
          expect({ hasSession, delayMs }).toEqual({ hasSession: false, delayMs: undefined });
          if (effects.length > 0) expect(types(effects)).toEqual(['close-channel', 'fail-all']);
        });
        if (!closes) return;
        world.happen({ type: 'close-requested' });
        expect(world).toMatchObject({ hasSession: false, delayMs: undefined });
        expect(world.state).toEqual({ name: 'closed' });
      }),
    );
  });

  it('ends with a close (invariant 10)', () => {
    fc.assert(
      fc.property(policies, fc.array(event), (policy, events) => {
        for (const happened of [...events, { type: 'close-requested' } as const]) {
          expect(transition({ name: 'closed' }, happened, policy)).toBeUndefined();
        }
      }),
    );
  });

  it('runs exactly one delay while it reconnects, and none otherwise (invariants 8, 11)', () => {
    fc.assert(
      fc.property(policies, histories, (policy, events) => {
        run(policy, events, ({ state, delayMs, hasSession }) => {
          if (state.name !== 'reconnecting') {
            expect(delayMs).toBeUndefined();
            return;
          }
          expect(delayMs).toBe(state.nextDelayMs);
          expect(hasSession).toBe(false);
          expect(delayMs).toBeLessThanOrEqual(policy.maxDelayMs);
        });
      }),
    );
  });

  it('ends every delay in a dial or in rest (invariant 11)', () => {
    fc.assert(
      fc.property(policies, histories, fc.boolean(), (policy, events, requestsWait) => {
        const world = run(policy, events, () => {});
        if (world.state.name !== 'reconnecting') return;
        world.happen({ type: 'delay-over', requestsWait });
        expect(['connecting', 'resting']).toContain(world.state.name);
      }),
    );
  });

  it('sends what waits on every handshake, and settles or fails all requests on every loss (invariant 12)', () => {
    fc.assert(
      fc.property(policies, histories, (policy, events) => {
        const world = new World(policy);
        for (const happened of events) {
          if (!world.canHappen(happened)) continue;
          const wasReady = world.state.name === 'ready';
          const effects = types(world.happen(happened));
          const isReady = world.state.name === 'ready';
          if (isReady && !wasReady) expect(effects).toEqual(['send-waiting']);
          if (wasReady && !isReady) {
            expect(effects.at(-1)).toMatch(/^(settle|fail-all)$/);
            expect(effects[0]).toBe('close-channel');
          }
        }
      }),
    );
  });
});
