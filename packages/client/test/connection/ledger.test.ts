import { describe, expect, it } from 'vitest';
import type { CallMark } from '../../src/connection/call-mark.ts';
import { Ledger, type Waiter } from '../../src/connection/ledger.ts';

const request = { method: 'tools/call', params: {} };
const waiter: Waiter = { answered: () => {}, failed: () => {} };
const newMark = (): CallMark => ({ certainty: 'not-sent' });
const result = (id: number | string) => ({ jsonrpc: '2.0' as const, id, result: {} });
const failure = (id: number) => ({
  jsonrpc: '2.0' as const,
  id,
  error: { code: -1, message: 'no' },
});

describe('Ledger', () => {
  it('follows a request from its making to its answer', () => {
    const ledger = new Ledger();
    const mark = newMark();
    const entry = ledger.enter(request, mark, waiter);
    expect(mark).toMatchObject({ certainty: 'not-sent', id: entry.id });
    expect(ledger.waiting()).toEqual([entry]);

    entry.handedOver = true;
    expect(ledger.waiting()).toEqual([]);
    expect(mark.certainty).toBe('not-sent');

    ledger.markSent(entry);
    expect(mark.certainty).toBe('outcome-unknown');

    expect(ledger.answered(failure(entry.id))).toBe(entry);
    expect(mark).toMatchObject({ certainty: 'answered', serverError: { code: -1, message: 'no' } });
    expect(ledger.size).toBe(0);
  });

  it('drops and counts answers to nothing: unknown, repeated, of the wrong type', () => {
    const ledger = new Ledger();
    const { id } = ledger.enter(request, newMark(), waiter);
    expect(ledger.answered(result(String(id)))).toBeUndefined();
    expect(ledger.answered(result(id + 1))).toBeUndefined();
    expect(ledger.answered(result(id))?.id).toBe(id);
    expect(ledger.answered(result(id))).toBeUndefined();
    expect(ledger.dropped).toBe(3);
  });

  it('never uses an id twice, and gives every request once when all are taken out', () => {
    const ledger = new Ledger();
    const [a, b, c] = [1, 2, 3].map(() => ledger.enter(request, newMark(), waiter));
    expect(new Set([a?.id, b?.id, c?.id]).size).toBe(3);
    ledger.remove(b?.id);
    expect(ledger.removeAll()).toEqual([a, c]);
    expect(ledger.removeAll()).toEqual([]);
    expect(ledger.enter(request, newMark(), waiter).id).toBeGreaterThan(c?.id ?? Infinity);
  });
});
