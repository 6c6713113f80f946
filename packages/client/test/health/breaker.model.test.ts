import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConnectionLostError } from '../../src/errors.ts';
import { Breaker, type Passage } from '../../src/health/breaker.ts';

const OPTIONS = { failures: 3, openMs: 10 };

/** What a breaker is, said again without its code: the ends of calls since it last changed. */
class Model {
  state: 'closed' | 'open' | 'half-open' = 'closed';
  inARow = 0;
  openedAt = 0;
  probedAt = 0;
  /** The calls that count. */
  counting = new Set<Passage>();
  probe: Passage | undefined;

  mayPass(now: number): boolean {
    if (this.state === 'closed') return true;
    if (this.state === 'half-open') {
      return this.probe === undefined || now - this.probedAt >= OPTIONS.openMs;
    }
    return now - this.openedAt >= OPTIONS.openMs;
  }

  passed(passage: Passage, now: number): void {
    this.counting.add(passage);
    if (this.state === 'closed') return;
    this.state = 'half-open';
    this.probe = passage;
    this.probedAt = now;
  }

  failed(now: number): void {
    if (this.state === 'open') return;
    this.inARow++;
    if (this.state === 'closed' && this.inARow < OPTIONS.failures) return;
    this.state = 'open';
    this.openedAt = now;
    this.restart();
  }

  succeeded(): void {
    this.inARow = 0;
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.restart();
  }

  restart(): void {
    this.counting.clear();
    this.probe = undefined;
  }
}

type Step =
  | { do: 'call' }
  | { do: 'pass-time'; ms: number }
  | { do: 'end'; which: number; how: 'succeeded' | 'failed' | 'released' }
  | { do: 'lose' };

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ do: fc.constant('call' as const) }),
    fc.record({ do: fc.constant('pass-time' as const), ms: fc.integer({ min: 1, max: 12 }) }),
    fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(20),
      how: fc.constantFrom('succeeded' as const, 'failed' as const, 'released' as const),
    }),
    fc.record({ do: fc.constant('lose' as const) }),
  ),
  { maxLength: 80 },
);

test('whatever happens in whatever order, it is what its model says', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const seen: string[] = [];
      const breaker: Breaker = new Breaker(OPTIONS, () => seen.push(breaker.status(0).state));
      const model = new Model();
      const underWay: Passage[] = [];
      let now = 0;
      for (const step of all) {
        const before = model.state;
        const changes = seen.length;
        if (step.do === 'pass-time') now += step.ms;
        if (step.do === 'call') {
          expect(breaker.passes(now)).toBe(model.mayPass(now));
          const passage = breaker.enter(now);
          expect(passage !== undefined).toBe(model.mayPass(now));
          if (passage !== undefined) {
            model.passed(passage, now);
            underWay.push(passage);
          }
        }
        if (step.do === 'lose') {
          breaker.failed(failure(), now);
          model.failed(now);
        }
        if (step.do === 'end' && underWay.length > 0) {
          const [passage] = underWay.splice(step.which % underWay.length, 1) as [Passage];
          const counts = model.counting.delete(passage);
          if (step.how === 'failed') breaker.failed(failure(), now, passage);
          else breaker[step.how](passage);
          if (counts && step.how === 'failed') model.failed(now);
          if (counts && step.how === 'succeeded') model.succeeded();
          if (model.probe === passage) model.probe = undefined;
        }
        expect(breaker.status(now)).toMatchObject({ state: model.state, failures: model.inARow });
        // It says so when its state changes, and only then.
        const said = seen.slice(changes).at(-1) ?? before;
        expect(said).toBe(model.state);
      }
    }),
    { numRuns: 500 },
  );
});

function failure(): ConnectionLostError {
  return new ConnectionLostError('lost', { certainty: 'outcome-unknown' });
}
