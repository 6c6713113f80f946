import { LOG_LEVEL_META_KEY, type JSONRPCMessage } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import type { InitializeReplay } from '../../src/connection/initialize.ts';
import { Ledger, type LedgerEntry } from '../../src/connection/ledger.ts';
import type { ServerStream } from '../../src/connection/server-stream.ts';
import { LocalAnswers } from '../../src/connection/local-answers.ts';
import { RestorableState } from '../../src/connection/restorable-state.ts';
import { ConnectionLostError, type LongwireError } from '../../src/errors.ts';

const lost = new ConnectionLostError('gone', { certainty: 'not-sent' });

class Rig {
  readonly ledger: Ledger = new Ledger({ isSafe: () => true, maxLosses: 5 });
  readonly restorable: RestorableState = new RestorableState();
  readonly taken: JSONRPCMessage[] = [];
  readonly failures: LongwireError[] = [];
  readonly subscriptions: [string, boolean][] = [];
  opened: PromiseWithResolvers = withResolvers();
  era: 'legacy' | 'modern' = 'modern';
  readonly answers: LocalAnswers = new LocalAnswers({
    ledger: this.ledger,
    restorable: this.restorable,
    handshake: Object.defineProperties({} as InitializeReplay, {
      era: { get: () => this.era },
      envelope: { get: () => (this.era === 'modern' ? { who: 'me' } : undefined) },
    }),
    serverStream: {
      subscribe: (uri: string, wants: boolean) => {
        this.subscriptions.push([uri, wants]);
        return this.opened.promise;
      },
    } as unknown as ServerStream,
    take: (answer) => this.taken.push(answer),
  });

  enter(method: string, params: Record<string, unknown> = {}): LedgerEntry {
    const entry = this.ledger.enter(
      { method, params },
      { certainty: 'not-sent' },
      { answered: () => {}, failed: (error) => this.failures.push(error) },
    );
    this.ledger.assign(entry);
    return entry;
  }
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

function withResolvers(): PromiseWithResolvers {
  const made: Partial<PromiseWithResolvers> = {};
  made.promise = new Promise<void>((resolve, reject) => {
    Object.assign(made, { resolve, reject });
  });
  return made as PromiseWithResolvers;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('answers that the server is not asked for', () => {
  it('leave all requests to a server of the legacy era', () => {
    const rig = new Rig();
    rig.era = 'legacy';
    for (const method of ['resources/subscribe', 'logging/setLevel', 'tools/call']) {
      expect(rig.answers.answer(rig.enter(method))).toBe(false);
    }
    expect(rig.answers.envelope).toBeUndefined();
  });

  it('the log level is kept here, and sent with every request', () => {
    const rig = new Rig();
    const entry = rig.enter('logging/setLevel', { level: 'debug' });
    expect(rig.answers.answer(entry)).toBe(true);
    expect(rig.taken).toEqual([{ jsonrpc: '2.0', id: entry.id, result: {} }]);
    expect(rig.answers.envelope).toEqual({ who: 'me' });
    rig.restorable.learn(entry.request, {});
    expect(rig.answers.envelope).toEqual({ who: 'me', [LOG_LEVEL_META_KEY]: 'debug' });
  });

  it('a subscription is answered when the server stream is open', async () => {
    const rig = new Rig();
    const entry = rig.enter('resources/subscribe', { uri: 'mem://a' });
    expect(rig.answers.answer(entry)).toBe(true);
    await settled();
    expect(rig.taken).toEqual([]);
    rig.opened.resolve();
    await settled();
    expect(rig.subscriptions).toEqual([['mem://a', true]]);
    expect(rig.taken).toEqual([{ jsonrpc: '2.0', id: entry.id, result: {} }]);
  });

  it('a subscription that is refused fails', async () => {
    const rig = new Rig();
    rig.answers.answer(rig.enter('resources/unsubscribe', { uri: 'mem://a' }));
    rig.opened.reject(lost);
    await settled();
    expect(rig.failures).toEqual([lost]);
    expect(rig.ledger.size).toBe(0);
  });

  it('a subscription that waits for the next session is not failed by the end of this one', async () => {
    const rig = new Rig();
    const entry = rig.enter('resources/subscribe', { uri: 'mem://a' });
    rig.answers.answer(entry);
    rig.ledger.lose(true);
    rig.opened.reject(lost);
    await settled();
    expect(rig.failures).toEqual([]);
    expect(rig.ledger.find(entry.id)).toBe(entry);
  });

  it('an answer that came before is used once', () => {
    const rig = new Rig();
    const entry = rig.enter('tools/call');
    entry.context.prior = { jsonrpc: '2.0', id: 0, result: { resultType: 'input_required' } };
    expect(rig.answers.answer(entry)).toBe(true);
    expect(rig.taken).toEqual([
      { jsonrpc: '2.0', id: entry.id, result: { resultType: 'input_required' } },
    ]);
    expect(rig.answers.answer(entry)).toBe(false);
  });
});
