import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../src/connection/request-context.ts';
import { Ledger, type LedgerEntry } from '../../src/connection/ledger.ts';

/** What happened to a request, in the plainest form. */
interface Expected {
  entry: LedgerEntry;
  safe: boolean;
  internal: boolean;
  id: number;
  assigned: boolean;
  /** It has left under its present id. */
  left: boolean;
  /** It has left before, and may have run. */
  mayHaveRun: boolean;
  /** How often it was requeued although it may have run. */
  resends: number;
  settled: boolean;
}

type Step =
  | { type: 'enter'; safe: boolean; internal: boolean }
  | { type: 'hand-over' | 'send' | 'remove' | 'retry'; nth: number }
  | { type: 'put-back'; nth: number; certainty: 'not-sent' | 'refused' }
  | { type: 'answer'; nth: number; as: 'number' | 'string' | 'old' | 'next'; isError: boolean }
  | { type: 'lose'; mayRetry: boolean }
  | { type: 'remove-internal' | 'remove-all' };

const nth = fc.nat(5);
const of = <T extends string>(...types: T[]): fc.Arbitrary<T> => fc.constantFrom(...types);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ type: of('enter'), safe: fc.boolean(), internal: fc.boolean() }),
    },
    { weight: 12, arbitrary: fc.record({ type: of('hand-over', 'send'), nth }) },
    { weight: 3, arbitrary: fc.record({ type: of('remove', 'retry', 'retry'), nth }) },
    {
      weight: 3,
      arbitrary: fc.record({ type: of('put-back'), nth, certainty: of('not-sent', 'refused') }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: of('answer'),
        nth,
        as: of('number', 'number', 'string', 'old', 'next'),
        isError: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: of('lose'), mayRetry: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ type: of('remove-internal', 'remove-all') }) },
  ),
  { maxLength: 60, size: 'max' },
);

const idsOf = (requests: { id: number }[]): number[] =>
  requests.map(({ id }) => id).sort((a, b) => a - b);

/** A ledger, and what must be true about it. */
class Model {
  readonly maxLosses: number;
  readonly ledger: Ledger;
  readonly requests: Expected[] = [];
  readonly usedIds: number[] = [];
  dropped = 0;

  constructor(maxLosses: number) {
    this.maxLosses = maxLosses;
    this.ledger = new Ledger({ isSafe: ({ context }) => context.idempotent === true, maxLosses });
  }

  take(step: Step): void {
    switch (step.type) {
      case 'enter':
        this.#enter(step.safe, step.internal);
        break;
      case 'lose':
        this.#lose(step.mayRetry);
        break;
      case 'remove-internal':
        this.#settle(
          this.ledger.removeInternal(),
          this.open.filter(({ internal }) => internal),
        );
        break;
      case 'remove-all':
        this.#settle(this.ledger.removeAll(), this.open);
        break;
      default: {
        const request = this.open.sort((a, b) => a.id - b.id)[step.nth];
        if (request !== undefined) this.#takeOne(request, step);
      }
    }
    this.#look();
  }

  get open(): Expected[] {
    return this.requests.filter(({ settled }) => !settled);
  }

  #enter(safe: boolean, internal: boolean): void {
    const context: RequestContext = { certainty: 'not-sent', idempotent: safe, internal };
    const waiter = { answered: () => {}, failed: () => {} };
    const entry = this.ledger.enter({ method: 'tools/call', params: {} }, context, waiter);
    this.usedIds.push(entry.id);
    this.requests.push({
      entry,
      safe,
      internal,
      id: entry.id,
      assigned: false,
      left: false,
      mayHaveRun: false,
      resends: 0,
      settled: false,
    });
  }

  #takeOne(request: Expected, step: Extract<Step, { nth: number }>): void {
    const { ledger } = this;
    const { entry } = request;
    switch (step.type) {
      case 'hand-over':
        ledger.assign(entry);
        request.assigned = true;
        break;
      case 'send':
        if (!request.assigned) break;
        ledger.markSent(entry);
        request.left = true;
        break;
      case 'remove':
        expect(ledger.remove(request.id)).toBe(entry);
        request.settled = true;
        break;
      case 'retry': {
        if (!request.left) break;
        const mayRetry = this.#maySendAgain(request);
        expect(ledger.retry(entry)).toBe(mayRetry);
        if (mayRetry) this.#sendAgain(request);
        else request.settled = true;
        break;
      }
      case 'put-back':
        if (!request.assigned || (step.certainty === 'not-sent' && request.left)) break;
        if (request.internal) break;
        ledger.requeue(entry, step.certainty);
        this.#renew(request);
        break;
      case 'answer':
        this.#answer(request, step);
        break;
    }
  }

  #answer(request: Expected, { as, isError }: Extract<Step, { type: 'answer' }>): void {
    const { entry, id } = request;
    const old = this.usedIds.find((used) => !this.open.some((open) => open.id === used)) ?? -1;
    const named = { number: id, string: String(id), old, next: Math.max(...this.usedIds) + 1 }[as];
    const body = isError ? { error: { code: -1, message: 'no' } } : { result: {} };
    const taken = this.ledger.answered({ jsonrpc: '2.0', id: named, ...body });
    if (as === 'number' && request.assigned) {
      expect(taken).toBe(entry);
      expect(entry.context.certainty).toBe('answered');
      request.settled = true;
    } else {
      expect(taken).toBeUndefined();
      this.dropped++;
    }
  }

  #lose(mayRetry: boolean): void {
    const had = this.open.filter(({ assigned }) => assigned);
    // A request that had not left did not run this time.
    const kept = had.filter(({ internal, left }) => !internal && !left);
    const again = had.filter((it) => it.left && mayRetry && this.#maySendAgain(it));
    const lost = had.filter((it) => !kept.includes(it) && !again.includes(it));
    this.#settle(this.ledger.lose(mayRetry), lost);
    for (const request of had.sort((a, b) => a.entry.id - b.entry.id)) {
      if (kept.includes(request)) this.#renew(request);
      if (again.includes(request)) this.#sendAgain(request);
    }
  }

  #maySendAgain({ safe, internal, resends }: Expected): boolean {
    return safe && !internal && resends < this.maxLosses;
  }

  #sendAgain(request: Expected): void {
    request.resends++;
    request.mayHaveRun = true;
    this.#renew(request);
  }

  #renew(request: Expected): void {
    expect(request.entry.id).not.toBe(request.id);
    this.usedIds.push(request.entry.id);
    Object.assign(request, { id: request.entry.id, assigned: false, left: false });
  }

  #settle(taken: LedgerEntry[], expected: Expected[]): void {
    expect(idsOf(taken)).toEqual(idsOf(expected));
    for (const request of expected) request.settled = true;
  }

  #look(): void {
    const { ledger, open, usedIds, dropped } = this;
    expect(new Set(usedIds).size).toBe(usedIds.length);
    expect(ledger.size).toBe(open.length);
    expect(ledger.dropped).toBe(dropped);
    const waiting = open.filter(({ assigned }) => !assigned);
    expect(ledger.waiting().map(({ id }) => id)).toEqual(idsOf(waiting));
    const wrong = open.filter(({ entry, id, left, mayHaveRun, resends }) => {
      const { context, losses } = entry;
      const isUnknown = context.certainty === 'outcome-unknown';
      const isFound = ledger.find(id) === entry && ledger.find(String(id)) === undefined;
      return (
        !isFound || context.id !== id || losses !== resends || isUnknown !== (left || mayHaveRun)
      );
    });
    expect(wrong).toEqual([]);
  }
}

const run = (maxLosses: number, history: Step[]): Model => {
  const model = new Model(maxLosses);
  for (const step of history) model.take(step);
  return model;
};

describe('any history of a ledger', () => {
  it('is that of a plain table of its requests (invariants 1, 2, 3, 4, 5, 12)', () => {
    fc.assert(
      fc.property(fc.nat(3), steps, (maxLosses, history) => void run(maxLosses, history)),
      {
        numRuns: 400,
      },
    );
  });

  it('returns every request once in the end (invariant 1)', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const { ledger, open } = run(2, history);
        expect(ledger.removeAll()).toHaveLength(open.length);
        expect(ledger.removeAll()).toEqual([]);
        expect(open.every(({ id }) => ledger.find(id) === undefined)).toBe(true);
      }),
    );
  });

  it('leaves no request with a channel that is gone (invariant 12)', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (history, mayRetry) => {
        const { ledger } = run(2, history);
        ledger.lose(mayRetry);
        expect(ledger.waiting()).toHaveLength(ledger.size);
      }),
    );
  });
});
