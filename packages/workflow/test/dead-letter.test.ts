import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { until } from '../../../test/support/until.ts';
import { readJournal } from '../src/index.ts';
import { startWorkflow, type Rig } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';

expectNothingLeftOpen();

/** A server whose tool fails until it is repaired; `other` never does. */
function createShop(): { shop: ScriptedSource; repair: () => void } {
  let isBroken = true;
  const shop = new ScriptedSource({
    note: () => (isBroken ? { isError: true, content: [] } : 'ok'),
    other: () => 'ok',
  });
  return { shop, repair: () => (isBroken = false) };
}

/** Handles what `send` causes, all of which fails, and then the lines that were written. */
async function roundTrip(
  trigger: string,
  send: (shop: ScriptedSource, rig: Rig) => unknown,
): Promise<{ shop: ScriptedSource; lines: unknown[]; taken: unknown[]; rig: Rig }> {
  const { shop, repair } = createShop();
  const text = `triggers:\n- ${trigger}\n- { on: alert, call: other }`;
  let lines: Awaited<ReturnType<Rig['letters']>>;
  {
    await using first = await startWorkflow(text, { shop });
    await send(shop, first);
    await until(async () => (await first.letters()).length === 1);
    await first.runner.idle();
    lines = await first.letters();
  }
  repair();
  shop.calls.splice(0);
  await using second = await startWorkflow(text, { shop });
  const taken = await Promise.all(lines.map((line) => second.runner.retry(line)));
  await second.runner.idle();
  return { shop, lines, taken, rig: second };
}

const at = '{ data: =event.data, params: =event.params, id: =event.id, at: =event.at }';

describe('a dead letter', () => {
  it.each<[what: string, trigger: string, send: (shop: ScriptedSource, rig: Rig) => unknown]>([
    [
      'a log message',
      `{ on: log:warning, call: note, with: ${at} }`,
      (shop) => shop.notify('notifications/message', { level: 'error', data: { drop: 7 } }),
    ],
    [
      'a log message, by its method',
      `{ on: message, call: note, with: ${at} }`,
      (shop) => shop.notify('notifications/message', { level: 'info', data: 'text' }),
    ],
    [
      'a resource',
      `{ on: "resource:note:///1", call: note, with: ${at} }`,
      (shop) => shop.notify('notifications/resources/updated', { uri: 'note:///1' }),
    ],
    [
      'resources',
      `{ on: "resource:note:///*", call: note, with: ${at} }`,
      (shop) => shop.notify('notifications/resources/updated', { uri: 'note:///1' }),
    ],
    [
      'a notification',
      `{ on: tools/list_changed, call: note, with: ${at} }`,
      (shop) => shop.notify('notifications/tools/list_changed'),
    ],
    [
      'a named event',
      `{ on: alert, call: note, with: ${at} }`,
      (shop) => shop.send('alert', { price: 7 }),
    ],
    ['the short form', '{ event: alert, tool: note }', (shop) => shop.send('alert', { price: 7 })],
    [
      'an event that was fed in',
      `{ on: alert, call: note, with: ${at} }`,
      (_shop, { runner }) => runner.push({ name: 'alert', id: 'e1', data: [1] }),
    ],
    [
      'a log message that was fed in',
      `{ on: log:info, call: note, with: ${at} }`,
      (_shop, { runner }) =>
        runner.push({ name: 'notifications/message', params: { level: 'info', data: 'hi' } }),
    ],
    [
      'events of one key',
      `{ on: alert, key: event.data.k, dedupe: true, debounceMs: 1, call: note, with: ${at} }`,
      (shop) => shop.send('alert', { k: 1 }),
    ],
  ])('of a trigger on %s is handled like its event, by that trigger alone', async (...given) => {
    const [, trigger, send] = given;
    let sent: unknown;
    const { shop, lines, taken, rig } = await roundTrip(trigger, async (first, running) => {
      await send(first, running);
      await until(() => first.argsOf('note').length === 1);
      sent = first.argsOf('note')[0];
    });
    expect(lines).toHaveLength(1);
    expect(taken).toEqual([{ runs: 1, isDuplicate: false, triggers: 1 }]);
    expect(shop.calls).toEqual([{ tool: 'note', args: sent }]);
    expect(rig.runs).toMatchObject([{ outcome: 'done' }]);
  });

  it('of an event for which there was no room is for all triggers', async () => {
    let release = (): void => undefined;
    const gate = new Promise<string>((resolve) => (release = () => resolve('ok')));
    const shop = new ScriptedSource({ note: () => gate, other: () => 'ok' });
    const text = 'triggers: [{ on: alert, call: note }, { on: alert, call: other }]';
    await using rig = await startWorkflow(text, { shop }, { concurrency: 1, maxQueued: 1 });
    for (let n = 0; n < 2; n++) await rig.runner.push({ name: 'alert' });
    const [letter] = await rig.letters();
    expect(letter?.error.code).toBe('queue-full');
    release();
    await rig.runner.idle();
    if (letter === undefined) throw new Error('nothing was dead');
    expect(await rig.runner.retry(letter)).toMatchObject({ runs: 2 });
    await rig.runner.idle();
    expect(rig.runner.stats().runs.done).toBe(4);
  });

  it('is taken once, and once more each time that it fails', async () => {
    const journal = await mkdtemp(join(tmpdir(), 'longwire-journal-'));
    try {
      const { shop, repair } = createShop();
      const text = 'triggers: [{ on: alert, key: event.data, dedupe: true, call: note }]';
      await using rig = await startWorkflow(text, { shop }, { journal });
      const retry = async (index: number): Promise<unknown> => {
        const letter = (await rig.letters())[index];
        if (letter === undefined) throw new Error(`there is no letter ${index}`);
        const taken = await rig.runner.retry(letter);
        await rig.runner.idle();
        return taken;
      };
      await rig.runner.push({ name: 'alert', id: 'e1', data: 'k' });
      await rig.runner.idle();
      expect(await retry(0)).toMatchObject({ runs: 1, isDuplicate: false });
      repair();
      expect(await retry(0)).toMatchObject({ runs: 0, isDuplicate: true });
      expect(await retry(1)).toMatchObject({ runs: 1, isDuplicate: false });
      expect(await retry(1)).toMatchObject({ runs: 0, isDuplicate: true });
      expect(rig.runs.map(({ outcome }) => outcome)).toEqual(['dead', 'dead', 'done']);
      const [first, second] = await rig.letters();
      await rig.runner.stop();
      expect((await readJournal(journal)).map(({ run }) => run.retryOf)).toEqual([
        undefined,
        first?.run,
        second?.run,
      ]);
    } finally {
      await rm(journal, { recursive: true, force: true });
    }
  });

  it('whose trigger or server is not there is refused', async () => {
    const { shop } = createShop();
    await using rig = await startWorkflow('triggers: [{ on: alert, call: note }]', { shop });
    await rig.runner.push({ name: 'alert' });
    await rig.runner.idle();
    const [letter] = await rig.letters();
    if (letter === undefined) throw new Error('nothing was dead');
    await expect(rig.runner.retry({ ...letter, trigger: 'alert#2' })).rejects.toThrow(
      'no trigger alert#2; there are alert#1',
    );
    const elsewhere = { ...letter.event, server: 'shpo' };
    await expect(rig.runner.retry({ ...letter, event: elsewhere })).rejects.toThrow(
      'no server shpo; there are shop',
    );
  });
});
