import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../src/connection/request-context.ts';
import { Ledger, type LedgerEntry, type Waiter } from '../../src/connection/ledger.ts';

const request = { method: 'tools/call', params: {} };
const waiter: Waiter = { answered: () => {}, failed: () => {} };
const result = (id: number | string) => ({ jsonrpc: '2.0' as const, id, result: {} });
const failure = (id: number) => ({
  jsonrpc: '2.0' as const,
  id,
  error: { code: -1, message: 'no' },
});

const newLedger = (): Ledger =>
  new Ledger({ isSafe: ({ context }) => context.idempotent === true, maxLosses: 2 });

const enter = (ledger: Ledger, context: Partial<RequestContext> = {}): LedgerEntry =>
  ledger.enter(request, { certainty: 'not-sent', ...context }, waiter);

const send = (ledger: Ledger, entry: LedgerEntry): void => {
  ledger.assign(entry);
  ledger.markSent(entry);
};

describe('Ledger', () => {
  it('follows a request until its answer', () => {
    const ledger = newLedger();
    const entry = enter(ledger);
    const { context } = entry;
    expect(context).toMatchObject({ certainty: 'not-sent', id: entry.id });
    expect(ledger.waiting()).toEqual([entry]);

    ledger.assign(entry);
    expect(ledger.waiting()).toEqual([]);
    expect(context.certainty).toBe('not-sent');

    ledger.markSent(entry);
    expect(context.certainty).toBe('outcome-unknown');

    expect(ledger.answered(failure(entry.id))).toBe(entry);
    expect(context).toMatchObject({
      certainty: 'answered',
      serverError: { code: -1, message: 'no' },
    });
    expect(ledger.size).toBe(0);
  });

  it('keeps the progress of a call that was answered with a task, until that is ended', () => {
    const ledger = newLedger();
    const onProgress = (): void => {};
    const asTask = { method: 'tools/call', params: { task: {} } };
    const answered = (
      asked: typeof asTask | typeof request,
      answer: object,
      context: Partial<RequestContext> = { onProgress },
    ): LedgerEntry => {
      const entry = ledger.enter(asked, { certainty: 'not-sent', ...context }, waiter);
      send(ledger, entry);
      ledger.answered({ ...result(entry.id), result: { ...answer } });
      return entry;
    };
    const task = answered(asTask, { task: { taskId: 't' } });
    expect(ledger.taskOf(task.id)).toBe(task.context);
    const others = [
      answered(asTask, { content: [] }),
      answered(asTask, { task: null }),
      answered(request, { task: { taskId: 't' } }),
      answered(asTask, { task: { taskId: 't' } }, {}),
    ];
    for (const { id } of others) expect(ledger.taskOf(id)).toBeUndefined();
    task.context.endTask?.();
    expect(ledger.taskOf(task.id)).toBeUndefined();

    const another = answered(asTask, { task: { taskId: 'u' } });
    ledger.removeAll();
    expect(ledger.taskOf(another.id)).toBeUndefined();
  });

  it('drops and counts answers without a request: unknown, repeated, of the wrong type, too early', () => {
    const ledger = newLedger();
    const entry = enter(ledger);
    const { id } = entry;
    expect(ledger.answered(result(id))).toBeUndefined();
    ledger.assign(entry);
    expect(ledger.answered(result(String(id)))).toBeUndefined();
    expect(ledger.answered(result(id + 1))).toBeUndefined();
    expect(ledger.answered(result(id))?.id).toBe(id);
    expect(ledger.answered(result(id))).toBeUndefined();
    expect(ledger.dropped).toBe(4);
  });

  it('keeps how the server reacted while a ping checks the session', () => {
    const ledger = newLedger();
    const [refused, failed, answered, running] = [1, 2, 3, 4].map(() => enter(ledger)) as [
      LedgerEntry,
      LedgerEntry,
      LedgerEntry,
      LedgerEntry,
    ];
    for (const entry of [refused, failed, answered, running]) send(ledger, entry);
    ledger.hold(refused, 'refused');
    ledger.hold(failed, 'unknown');
    ledger.hold(answered, 'answered');
    expect(refused.context.certainty).toBe('refused');
    expect(failed.context.certainty).toBe('outcome-unknown');
    expect(ledger.owed()).toHaveLength(1);
    expect(ledger.lose(true), 'a lost connection').toEqual([failed, running]);
    expect(ledger.owed()).toEqual([]);
    // The refused request did not run, and waits; the answered one has its answer.
    expect(ledger.waiting()).toEqual([refused]);
    expect(refused).toMatchObject({
      held: undefined,
      doubts: 1,
      context: { certainty: 'refused' },
    });
    expect(ledger.answered(failure(answered.id))).toBe(answered);
  });

  it('does not report a request as refused that may have run before', () => {
    const ledger = newLedger();
    const entry = enter(ledger, { idempotent: true });
    send(ledger, entry);
    ledger.lose(true);
    send(ledger, entry);
    ledger.hold(entry, 'refused');
    expect(entry.context.certainty).toBe('outcome-unknown');
  });

  it('never uses an id twice, and returns every request once when all are removed', () => {
    const ledger = newLedger();
    const [a, b, c] = [1, 2, 3].map(() => enter(ledger));
    expect(new Set([a?.id, b?.id, c?.id]).size).toBe(3);
    ledger.remove(b?.id);
    expect(ledger.removeAll()).toEqual([a, c]);
    expect(ledger.removeAll()).toEqual([]);
    expect(enter(ledger).id).toBeGreaterThan(c?.id ?? Infinity);
  });

  it('keeps a request that did not run under a new id, and drops answers to the old one', () => {
    const ledger = newLedger();
    const entry = enter(ledger);
    const { id } = entry;
    send(ledger, entry);
    ledger.requeue(entry, 'refused');
    expect(entry).toMatchObject({ assigned: false, returns: 1, losses: 0 });
    expect(entry.context).toMatchObject({ id: entry.id, certainty: 'refused' });
    expect(entry.id).not.toBe(id);
    expect(ledger.find(id)).toBeUndefined();
    expect(ledger.waiting()).toEqual([entry]);
  });

  it('resends a safe request so many times, and keeps that it may have run', () => {
    const ledger = newLedger();
    const entry = enter(ledger, { idempotent: true });
    for (const losses of [1, 2]) {
      send(ledger, entry);
      expect(ledger.retry(entry)).toBe(true);
      expect(entry.losses).toBe(losses);
    }
    ledger.assign(entry);
    ledger.requeue(entry, 'not-sent');
    expect(entry.context.certainty).toBe('outcome-unknown');
    send(ledger, entry);
    expect(ledger.retry(entry)).toBe(false);
    expect(ledger.size).toBe(0);
  });

  it('does not resend an unsafe request, nor one of the connection itself', () => {
    const ledger = newLedger();
    for (const context of [{}, { idempotent: true, internal: true }]) {
      const entry = enter(ledger, context);
      send(ledger, entry);
      expect(ledger.retry(entry)).toBe(false);
      expect(ledger.find(entry.id)).toBeUndefined();
    }
  });

  it('decides about the requests of a lost channel', () => {
    const ledger = newLedger();
    const [waits, given, sent, safe, own] = [{}, {}, {}, { idempotent: true }, { internal: true }]
      .map((context) => enter(ledger, context))
      .values();
    if (!waits || !given || !sent || !safe || !own) throw new Error('five were entered');
    const { id } = waits;
    ledger.assign(given);
    for (const entry of [sent, safe, own]) send(ledger, entry);
    expect(ledger.lose(true)).toEqual([sent, own]);
    expect(ledger.waiting()).toEqual([waits, given, safe]);
    expect(waits.id).toBe(id);
    expect(given.context.certainty).toBe('not-sent');
    expect(safe.context.certainty).toBe('outcome-unknown');
  });

  it('resends nothing that would fail in the same way', () => {
    const ledger = newLedger();
    const safe = enter(ledger, { idempotent: true });
    const given = enter(ledger, { idempotent: true });
    send(ledger, safe);
    ledger.assign(given);
    expect(ledger.lose(false)).toEqual([safe]);
    expect(ledger.waiting()).toEqual([given]);
  });

  it.each([['refused'], ['not-sent']] as const)(
    'keeps a request that was requeued as %s and had not left the lost channel',
    (certainty) => {
      const ledger = newLedger();
      const entry = enter(ledger);
      send(ledger, entry);
      ledger.requeue(entry, certainty);
      ledger.assign(entry);
      expect(ledger.lose(true)).toEqual([]);
      expect(ledger.waiting()).toEqual([entry]);
    },
  );

  it('does not count a request that had not left as a loss', () => {
    const ledger = newLedger();
    const entry = enter(ledger, { idempotent: true });
    send(ledger, entry);
    ledger.retry(entry);
    for (let i = 0; i < 5; i++) {
      ledger.assign(entry);
      expect(ledger.lose(true)).toEqual([]);
    }
    expect(entry.losses).toBe(1);
  });

  it('removes only the connection’s own requests', () => {
    const ledger = newLedger();
    const own = enter(ledger, { internal: true });
    const other = enter(ledger);
    expect(ledger.removeInternal()).toEqual([own]);
    expect(ledger.waiting()).toEqual([other]);
  });
});
