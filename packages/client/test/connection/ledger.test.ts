import { describe, expect, it } from 'vitest';
import type { CallMark } from '../../src/connection/call-mark.ts';
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
  new Ledger({ isSafe: ({ mark }) => mark.idempotent === true, maxLosses: 2 });

const enter = (ledger: Ledger, mark: Partial<CallMark> = {}): LedgerEntry =>
  ledger.enter(request, { certainty: 'not-sent', ...mark }, waiter);

const send = (ledger: Ledger, entry: LedgerEntry): void => {
  ledger.handOver(entry);
  ledger.markSent(entry);
};

describe('Ledger', () => {
  it('follows a request from its making to its answer', () => {
    const ledger = newLedger();
    const entry = enter(ledger);
    const { mark } = entry;
    expect(mark).toMatchObject({ certainty: 'not-sent', id: entry.id });
    expect(ledger.waiting()).toEqual([entry]);

    ledger.handOver(entry);
    expect(ledger.waiting()).toEqual([]);
    expect(mark.certainty).toBe('not-sent');

    ledger.markSent(entry);
    expect(mark.certainty).toBe('outcome-unknown');

    expect(ledger.answered(failure(entry.id))).toBe(entry);
    expect(mark).toMatchObject({ certainty: 'answered', serverError: { code: -1, message: 'no' } });
    expect(ledger.size).toBe(0);
  });

  it('drops and counts answers to nothing: unknown, repeated, of the wrong type, too early', () => {
    const ledger = newLedger();
    const entry = enter(ledger);
    const { id } = entry;
    expect(ledger.answered(result(id))).toBeUndefined();
    ledger.handOver(entry);
    expect(ledger.answered(result(String(id)))).toBeUndefined();
    expect(ledger.answered(result(id + 1))).toBeUndefined();
    expect(ledger.answered(result(id))?.id).toBe(id);
    expect(ledger.answered(result(id))).toBeUndefined();
    expect(ledger.dropped).toBe(4);
  });

  it('keeps what the server has said while the session is asked what that means', () => {
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
    expect(refused.mark.certainty).toBe('refused');
    expect(failed.mark.certainty).toBe('outcome-unknown');
    expect(ledger.isOwed).toBe(true);
    expect(ledger.lose(true), 'a loss of the line').toEqual([failed, running]);
    expect(ledger.isOwed).toBe(false);
    // What was refused did not run, and waits; what was answered has its answer.
    expect(ledger.waiting()).toEqual([refused]);
    expect(refused).toMatchObject({ held: undefined, doubts: 1, mark: { certainty: 'refused' } });
    expect(ledger.answered(failure(answered.id))).toBe(answered);
  });

  it('does not say of a request that ran before that it was refused', () => {
    const ledger = newLedger();
    const entry = enter(ledger, { idempotent: true });
    send(ledger, entry);
    ledger.lose(true);
    send(ledger, entry);
    ledger.hold(entry, 'refused');
    expect(entry.mark.certainty).toBe('outcome-unknown');
  });

  it('never uses an id twice, and gives every request once when all are taken out', () => {
    const ledger = newLedger();
    const [a, b, c] = [1, 2, 3].map(() => enter(ledger));
    expect(new Set([a?.id, b?.id, c?.id]).size).toBe(3);
    ledger.remove(b?.id);
    expect(ledger.removeAll()).toEqual([a, c]);
    expect(ledger.removeAll()).toEqual([]);
    expect(enter(ledger).id).toBeGreaterThan(c?.id ?? Infinity);
  });

  it('lets a request that did not run wait under a new id, and its old id be nobody’s', () => {
    const ledger = newLedger();
    const entry = enter(ledger);
    const { id } = entry;
    send(ledger, entry);
    ledger.putBack(entry, 'refused');
    expect(entry).toMatchObject({ handedOver: false, returns: 1, losses: 0 });
    expect(entry.mark).toMatchObject({ id: entry.id, certainty: 'refused' });
    expect(entry.id).not.toBe(id);
    expect(ledger.find(id)).toBeUndefined();
    expect(ledger.waiting()).toEqual([entry]);
  });

  it('sends again what is safe, so many times, and never forgets that it may have run', () => {
    const ledger = newLedger();
    const entry = enter(ledger, { idempotent: true });
    for (const losses of [1, 2]) {
      send(ledger, entry);
      expect(ledger.retry(entry)).toBe(true);
      expect(entry.losses).toBe(losses);
    }
    ledger.handOver(entry);
    ledger.putBack(entry, 'not-sent');
    expect(entry.mark.certainty).toBe('outcome-unknown');
    send(ledger, entry);
    expect(ledger.retry(entry)).toBe(false);
    expect(ledger.size).toBe(0);
  });

  it('sends again neither what is not safe nor what is the connection’s own', () => {
    const ledger = newLedger();
    for (const mark of [{}, { idempotent: true, internal: true }]) {
      const entry = enter(ledger, mark);
      send(ledger, entry);
      expect(ledger.retry(entry)).toBe(false);
      expect(ledger.find(entry.id)).toBeUndefined();
    }
  });

  it('sorts out what a lost channel had', () => {
    const ledger = newLedger();
    const [waits, given, sent, safe, own] = [{}, {}, {}, { idempotent: true }, { internal: true }]
      .map((mark) => enter(ledger, mark))
      .values();
    if (!waits || !given || !sent || !safe || !own) throw new Error('five were entered');
    const { id } = waits;
    ledger.handOver(given);
    for (const entry of [sent, safe, own]) send(ledger, entry);
    expect(ledger.lose(true)).toEqual([sent, own]);
    expect(ledger.waiting()).toEqual([waits, given, safe]);
    expect(waits.id).toBe(id);
    expect(given.mark.certainty).toBe('not-sent');
    expect(safe.mark.certainty).toBe('outcome-unknown');
  });

  it('sends nothing again that would meet the same', () => {
    const ledger = newLedger();
    const safe = enter(ledger, { idempotent: true });
    const given = enter(ledger, { idempotent: true });
    send(ledger, safe);
    ledger.handOver(given);
    expect(ledger.lose(false)).toEqual([safe]);
    expect(ledger.waiting()).toEqual([given]);
  });

  it.each([['refused'], ['not-sent']] as const)(
    'keeps what had been put back as %s and had not left the channel that was lost',
    (certainty) => {
      const ledger = newLedger();
      const entry = enter(ledger);
      send(ledger, entry);
      ledger.putBack(entry, certainty);
      ledger.handOver(entry);
      expect(ledger.lose(true)).toEqual([]);
      expect(ledger.waiting()).toEqual([entry]);
    },
  );

  it('does not count as a loss what had not left', () => {
    const ledger = newLedger();
    const entry = enter(ledger, { idempotent: true });
    send(ledger, entry);
    ledger.retry(entry);
    for (let i = 0; i < 5; i++) {
      ledger.handOver(entry);
      expect(ledger.lose(true)).toEqual([]);
    }
    expect(entry.losses).toBe(1);
  });

  it('takes out the connection’s own alone', () => {
    const ledger = newLedger();
    const own = enter(ledger, { internal: true });
    const other = enter(ledger);
    expect(ledger.removeInternal()).toEqual([own]);
    expect(ledger.waiting()).toEqual([other]);
  });
});
