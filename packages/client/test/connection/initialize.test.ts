import { describe, expect, it } from 'vitest';
import { InitializeReplay } from '../../src/connection/initialize.ts';
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

function begun(): { handshake: InitializeReplay; ledger: Ledger; entry: LedgerEntry } {
  const ledger = new Ledger({ isSafe: () => false, maxLosses: 0 });
  const handshake = new InitializeReplay(ledger);
  const waiter = { answered: () => {}, failed: () => {} };
  const entry = ledger.enter(initialize, { certainty: 'not-sent' }, waiter);
  handshake.begin(initialize, entry);
  return { handshake, ledger, entry };
}

describe('InitializeReplay', () => {
  it('sends the program’s own request until it is answered, and replays it under other ids from then on', () => {
    const { handshake, ledger, entry } = begun();
    expect(handshake.own).toBe(entry);
    expect(handshake.firstRequests().initialize).toEqual({ ...initialize, id: entry.id });
    ledger.remove(entry.id);
    expect(handshake.own).toBeUndefined();
    const replays = [handshake.firstRequests().initialize, handshake.firstRequests().initialize];
    expect(replays).toMatchObject([{ params: initialize.params }, { params: initialize.params }]);
    const ids = replays.map(({ id }) => id);
    expect(new Set([...ids, entry.id]).size).toBe(3);
    for (const id of ids) expect(Number.isSafeInteger(id)).toBe(true);
  });

  it('cannot replay a handshake before there was one', () => {
    const ledger = new Ledger({ isSafe: () => false, maxLosses: 0 });
    expect(() => new InitializeReplay(ledger).firstRequests()).toThrow(
      expect.objectContaining({ code: 'protocol', certainty: 'not-sent' }),
    );
  });

  it('remembers the latest server, and the one before if it is another', () => {
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

  it('fails the dial if a replay is refused, and leaves an error of the program’s own handshake to the program', () => {
    const { handshake, ledger, entry } = begun();
    expect(() => handshake.learn(refusal, 'legacy')).not.toThrow();
    expect(handshake.server).toBeUndefined();
    handshake.learn(answer('a'), 'legacy');
    ledger.remove(entry.id);
    expect(() => handshake.learn(refusal, 'legacy')).toThrow(ConnectError);
    expect(handshake.server?.serverInfo?.name).toBe('a');
  });

  it('ends the handshake as the program did', () => {
    const { handshake } = begun();
    expect(handshake.initialized.method).toBe('notifications/initialized');
  });
});
