import { describe, expect, it } from 'vitest';
import { callMark, type CallMark } from '../../src/connection/call-mark.ts';
import { Ledger } from '../../src/connection/ledger.ts';

const request = (id: number | string, mark?: CallMark) => ({
  jsonrpc: '2.0' as const,
  id,
  method: 'tools/call',
  params: mark === undefined ? {} : { [callMark]: mark },
});

describe('Ledger', () => {
  it('follows a request from its making to its answer', () => {
    const ledger = new Ledger<string>();
    const mark: CallMark = { certainty: 'not-sent' };
    const entry = ledger.enter(request(1, mark), 'waiter');
    expect(mark).toMatchObject({ certainty: 'not-sent', id: 1 });
    expect(ledger.unsent()).toEqual([entry]);

    ledger.markSent(entry);
    expect(mark.certainty).toBe('outcome-unknown');
    expect(ledger.unsent()).toEqual([]);

    expect(ledger.answered(1, 'error')?.waiter).toBe('waiter');
    expect(mark).toMatchObject({ certainty: 'answered', answer: 'error' });
    expect(ledger.size).toBe(0);
  });

  it('drops and counts answers to nothing: unknown, repeated, of the wrong type', () => {
    const ledger = new Ledger<string>();
    ledger.enter(request(1), 'one');
    expect(ledger.answered('1', 'result')).toBeUndefined();
    expect(ledger.answered(2, 'result')).toBeUndefined();
    expect(ledger.answered(1, 'result')?.waiter).toBe('one');
    expect(ledger.answered(1, 'result')).toBeUndefined();
    expect(ledger.dropped).toBe(3);
  });

  it('gives every request once when all are taken out', () => {
    const ledger = new Ledger<number>();
    for (const id of [1, 2, 3]) ledger.enter(request(id), id);
    ledger.remove(2);
    expect(ledger.removeAll().map(({ waiter }) => waiter)).toEqual([1, 3]);
    expect(ledger.removeAll()).toEqual([]);
  });

  it('keeps a mark off the wire', () => {
    const mark: CallMark = { certainty: 'not-sent' };
    expect(JSON.stringify(request(1, mark))).toBe(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}',
    );
  });
});
