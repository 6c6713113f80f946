import { LongwireError } from '@longwire/client';
import { describe, expect, it, vi } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { until } from '../../../test/support/until.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';

expectNothingLeftOpen();

const noting = (): ScriptedSource => new ScriptedSource({ note: () => 'ok' });

describe('events of one key', () => {
  it('are debounced: the last one counts', async () => {
    const shop = noting();
    await using rig = await startWorkflow(
      'triggers: [{ on: alert, key: event.data.k, debounceMs: 1500, call: note, with: =event.data }]',
      { shop },
    );
    for (const [k, n] of Object.entries({ a: 1, b: 2 })) shop.send('alert', { k, n });
    for (const n of [3, 4, 5]) shop.send('alert', { k: 'a', n });
    await until(() => shop.calls.length === 2);
    await rig.runner.idle();
    expect(shop.argsOf('note')).toEqual([
      { k: 'b', n: 2 },
      { k: 'a', n: 5 },
    ]);
    expect(rig.runner.stats()).toMatchObject({ events: 5, runs: { done: 2, superseded: 3 } });
  });

  it('are taken once within a time', async () => {
    const shop = noting();
    await using rig = await startWorkflow(
      `
      triggers:
        - { id: minute, on: alert, key: event.data.k, dedupe: { withinMs: 60000 }, call: note, with: { minute: =event.data.k } }
        - { id: ever, on: alert, key: event.data.k, dedupe: true, call: note, with: { ever: =event.data.k } }`,
      { shop },
      { concurrency: 1 },
    );
    const push = (k: string) => rig.runner.push({ name: 'alert', data: { k } });
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await push('a');
      await push('a');
      await push('b');
      // An expression that seems to take a minute times out.
      await rig.runner.idle();
      vi.setSystemTime(Date.now() + 61_000);
      await push('a');
    } finally {
      vi.useRealTimers();
    }
    await rig.runner.idle();
    expect(shop.argsOf('note')).toEqual([
      { minute: 'a' },
      { ever: 'a' },
      { minute: 'b' },
      { ever: 'b' },
      { minute: 'a' },
    ]);
    expect(rig.runner.stats().duplicates).toBe(3);
  });

  it('are handled one at a time and in their order, beside those of other keys', async () => {
    const log: string[] = [];
    let failures = 1;
    const step = async (name: string, { k, n }: Record<string, unknown>): Promise<string> => {
      log.push(`${name} ${String(k)}${String(n)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      // Events of different keys run at the same time, or this would never end.
      if (k === 'a' && n === 1) await until(() => log.includes('first b1'));
      // A retry within a run does not let the next one go before it.
      if (name === 'first' && n === 1 && failures-- > 0) {
        throw new LongwireError('not now', { code: 'connect-failed', certainty: 'not-sent' });
      }
      log.push(`/${name} ${String(k)}${String(n)}`);
      return 'ok';
    };
    const shop = new ScriptedSource({
      first: (args) => step('first', args),
      second: (args) => step('second', args),
    });
    await using rig = await startWorkflow(
      `
      triggers:
        - on: alert
          key: event.data.k
          retry: { maxAttempts: 2, delayMs: 5 }
          call: first
          with: event.data
          then: [{ call: second, with: event.data }]`,
      { shop },
      { concurrency: 3 },
    );
    for (const n of [1, 2, 3]) for (const k of ['a', 'b']) shop.send('alert', { k, n });
    await until(() => log.filter((line) => line.startsWith('/second')).length === 6);
    await rig.runner.idle();
    const expected = (k: string): string[] =>
      [1, 2, 3].flatMap((n) => [
        `first ${k}${n}`,
        `/first ${k}${n}`,
        `second ${k}${n}`,
        `/second ${k}${n}`,
      ]);
    const of = (k: string): string[] => log.filter((line) => line.includes(` ${k}`));
    const retried = (['a', 'b'] as const).filter((k) => of(k).length === 13);
    expect(retried).toHaveLength(1);
    for (const k of ['a', 'b']) {
      const lines = of(k);
      expect(retried.includes(k as 'a') ? lines.slice(1) : lines).toEqual(expected(k));
    }
  });

  it('make way for the next when one of them fails', async () => {
    const shop = new ScriptedSource({
      note: ({ n }) => (n === 1 ? { isError: true, content: [] } : 'ok'),
    });
    await using rig = await startWorkflow(
      'triggers: [{ on: alert, key: event.data.k, call: note, with: event.data }]',
      { shop },
    );
    for (const n of [1, 2]) await rig.runner.push({ name: 'alert', data: { k: 'a', n } });
    await rig.runner.idle();
    expect(rig.runs.map(({ outcome }) => outcome)).toEqual(['dead', 'done']);
  });

  it('are of different triggers beside each other', async () => {
    let release = (): void => undefined;
    const gate = new Promise<string>((resolve) => (release = () => resolve('ok')));
    // The first one waits for the second: one after the other would never end.
    const shop = new ScriptedSource({ wait: () => gate, go: () => (release(), 'ok') });
    await using rig = await startWorkflow(
      `
      triggers:
        - { on: alert, key: event.data.k, call: wait }
        - { on: alert, key: event.data.k, call: go }`,
      { shop },
    );
    await rig.runner.push({ name: 'alert', data: { k: 'a' } });
    await rig.runner.idle();
    expect(rig.runner.stats().runs.done).toBe(2);
  });

  it.each([[{}], [{ k: null }]])(
    'cannot be told without a key: %j is a dead letter',
    async (data) => {
      const shop = noting();
      await using rig = await startWorkflow(
        'triggers: [{ on: alert, key: event.data.k, dedupe: true, call: note }]',
        { shop },
      );
      for (let n = 0; n < 2; n++) await rig.runner.push({ name: 'alert', data });
      await rig.runner.idle();
      expect(shop.calls).toEqual([]);
      const error = {
        code: 'expression',
        message: 'the key of alert#1 finds nothing in the event: event.data.k',
      };
      expect(await rig.letters()).toMatchObject([{ error }, { error }]);
    },
  );

  it('are the same event if they have the same id', async () => {
    const shop = noting();
    await using rig = await startWorkflow('triggers: [{ on: alert, call: note }]', { shop });
    const event = { name: 'alert', id: 'x' };
    const taken = await Promise.all(
      [event, event, { name: 'alert' }].map((e) => rig.runner.push(e)),
    );
    expect(taken).toEqual([
      { runs: 1, isDuplicate: false, triggers: 1 },
      { runs: 0, isDuplicate: true, triggers: 1 },
      { runs: 1, isDuplicate: false, triggers: 1 },
    ]);
    await rig.runner.idle();
    expect(shop.calls).toHaveLength(2);
  });
});
