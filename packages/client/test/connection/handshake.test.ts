import { describe, expect, it } from 'vitest';
import { Handshake } from '../../src/connection/handshake.ts';
import { Ledger, type LedgerEntry } from '../../src/connection/ledger.ts';
import { ConnectError } from '../../src/errors.ts';

const initialize = {
  jsonrpc: '2.0' as const,
  id: 'program',
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {} },
};

const answer = (name: string, version = '1') => ({
  jsonrpc: '2.0' as const,
  id: 1,
  result: { protocolVersion: '2024-11-05', capabilities: {}, serverInfo: { name, version } },
});
const refusal = { jsonrpc: '2.0' as const, id: 1, error: { code: -32_602, message: 'too old' } };

function begun(): { handshake: Handshake; ledger: Ledger; entry: LedgerEntry } {
  const ledger = new Ledger({ isSafe: () => false, maxLosses: 0 });
  const handshake = new Handshake(ledger);
  const waiter = { answered: () => {}, failed: () => {} };
  const entry = ledger.enter(initialize, { certainty: 'not-sent' }, waiter);
  handshake.begin(initialize, entry);
  return { handshake, ledger, entry };
}

describe('Handshake', () => {
  it('is the program’s own until that is answered, and replayed under other ids from then on', () => {
    const { handshake, ledger, entry } = begun();
    expect(handshake.own).toBe(entry);
    expect(handshake.introduction().initialize).toEqual({ ...initialize, id: entry.id });
    ledger.remove(entry.id);
    expect(handshake.own).toBeUndefined();
    const replays = [handshake.introduction().initialize, handshake.introduction().initialize];
    expect(replays).toMatchObject([{ params: initialize.params }, { params: initialize.params }]);
    const ids = replays.map(({ id }) => id);
    expect(new Set([...ids, entry.id]).size).toBe(3);
    for (const id of ids) expect(Number.isSafeInteger(id)).toBe(true);
  });

  it('cannot be replayed before there was one', () => {
    const ledger = new Ledger({ isSafe: () => false, maxLosses: 0 });
    expect(() => new Handshake(ledger).introduction()).toThrow(
      expect.objectContaining({ code: 'protocol', certainty: 'not-sent' }),
    );
  });

  it('remembers the latest server, and who it was before if that is another', () => {
    const { handshake } = begun();
    expect(handshake.server).toBeUndefined();
    const seen = [
      answer('a'),
      answer('a'),
      answer('a', '2'),
      answer('a', '2'),
      answer('b', '2'),
    ].map((message) => {
      handshake.learn(message, 'legacy');
      return [handshake.server?.serverInfo?.name, handshake.formerServer];
    });
    expect(seen).toEqual([
      ['a', undefined],
      ['a', undefined],
      ['a', { name: 'a', version: '1' }],
      ['a', undefined],
      ['b', { name: 'a', version: '2' }],
    ]);
  });

  it('fails the dial if a replay is refused, and leaves the program’s own to the program', () => {
    const { handshake, ledger, entry } = begun();
    expect(() => handshake.learn(refusal, 'legacy')).not.toThrow();
    expect(handshake.server).toBeUndefined();
    handshake.learn(answer('a'), 'legacy');
    ledger.remove(entry.id);
    expect(() => handshake.learn(refusal, 'legacy')).toThrow(ConnectError);
    expect(handshake.server?.serverInfo?.name).toBe('a');
  });

  it('is ended as the program ended its own', () => {
    const { handshake } = begun();
    expect(handshake.initialized.method).toBe('notifications/initialized');
  });
});
