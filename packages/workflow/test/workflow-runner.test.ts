import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { until } from '../../../test/support/until.ts';
import { createWorkflow, parseWorkflow } from '../src/index.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';

expectNothingLeftOpen();

const noting = (): ScriptedSource => new ScriptedSource({ note: () => 'ok' });

describe('a trigger', () => {
  it('is about a named event, or a notification by its short or long name', async () => {
    const shop = noting();
    await using rig = await startWorkflow(
      `
      triggers:
        - { id: named, on: alert, call: note, with: { at: named, data: =event.data } }
        - { on: tools/list_changed, call: note, with: { at: short } }
        - { on: notifications/tools/list_changed, call: note, with: { at: long } }`,
      { shop },
      { concurrency: 1 },
    );
    shop.send('alert', { price: 7 });
    shop.send('other', {});
    shop.notify('notifications/tools/list_changed');
    await until(() => shop.calls.length === 3);
    await rig.runner.idle();
    expect(shop.argsOf('note')).toEqual([
      { at: 'named', data: { price: 7 } },
      { at: 'short' },
      { at: 'long' },
    ]);
  });

  it('is about log messages of a level and above, which it asks for', async () => {
    const shop = noting();
    await using rig = await startWorkflow(
      `
      triggers:
        - { on: log:warning, call: note, with: { warning: =event.data, level: =event.params.level } }
        - { on: log:error, call: note, with: { error: =event.data } }`,
      { shop },
      { concurrency: 1 },
    );
    expect(shop.asked).toEqual(['level warning']);
    for (const level of ['info', 'warning', 'error', 'nonsense']) {
      shop.notify('notifications/message', { level, data: level });
    }
    await until(() => shop.calls.length === 3);
    await rig.runner.idle();
    expect(shop.argsOf('note')).toEqual([
      { warning: 'warning', level: 'warning' },
      { warning: 'error', level: 'error' },
      { error: 'error' },
    ]);
  });

  it('is about a resource, or a pattern of them, to which it subscribes', async () => {
    const shop = noting();
    shop.resources = ['file:///logs/a.txt', 'file:///logs/b.txt', 'file:///other'];
    await using rig = await startWorkflow(
      `
      triggers:
        - { on: resource:note:///1, call: note, with: { one: =event.data.uri } }
        - { on: "resource:file:///logs/*.txt", call: note, with: { pattern: =event.data.uri } }`,
      { shop },
      { concurrency: 1 },
    );
    expect(shop.asked).toEqual([
      'subscribe note:///1',
      'subscribe file:///logs/a.txt',
      'subscribe file:///logs/b.txt',
    ]);
    for (const uri of ['note:///1', 'note:///2', 'file:///logs/b.txt', 'file:///other']) {
      shop.notify('notifications/resources/updated', { uri });
    }
    await until(() => shop.calls.length === 2);
    await rig.runner.idle();
    expect(shop.argsOf('note')).toEqual([{ one: 'note:///1' }, { pattern: 'file:///logs/b.txt' }]);
  });

  it('is about the servers that its pattern names', async () => {
    const [eu, us, log] = [noting(), noting(), noting()];
    await using rig = await startWorkflow(
      'triggers: [{ on: alert, from: "shop-*", call: log/note, with: { from: =event.server } }]',
      { 'shop-eu': eu, 'shop-us': us, log },
      { concurrency: 1 },
    );
    for (const source of [eu, us, log]) source.send('alert', {});
    await until(() => log.calls.length === 2);
    await rig.runner.idle();
    expect(log.argsOf('note')).toEqual([{ from: 'shop-eu' }, { from: 'shop-us' }]);
  });

  it('fails to start where no server can be asked', async () => {
    const bare = {
      listTools: async () => [],
      callTool: async () => ({ content: [] }),
      on: () => () => undefined,
    };
    const log = noting();
    const text = 'triggers: [{ on: log:error, from: bare, call: log/note }]';
    await expect(startWorkflow(text, { bare, log })).rejects.toThrow(
      /servers\.bare: .*setLogLevel/,
    );
  });
});

describe('a workflow', () => {
  it('limits the runs at a time, in order, and rejects what is too much', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const shop = new ScriptedSource({ note: () => gate });
    await using rig = await startWorkflow(
      'triggers: [{ on: alert, call: note, with: { n: =event.data } }]',
      { shop },
      { concurrency: 2, maxQueued: 3 },
    );
    for (const n of [1, 2, 3, 4, 5]) await rig.runner.push({ name: 'alert', data: n });
    await until(() => shop.calls.length === 2);
    expect(rig.runner.stats()).toMatchObject({ running: 2, queued: 3 });
    await rig.runner.push({ name: 'alert', data: 6 });
    release();
    await rig.runner.idle();
    expect(shop.argsOf('note')).toEqual([1, 2, 3, 4, 5].map((n) => ({ n })));
    expect(rig.runner.stats()).toMatchObject({ overflowed: 1, runs: { done: 5 } });
    expect(await rig.letters()).toMatchObject([
      { event: { data: 6 }, error: { code: 'queue-full' } },
    ]);
  });

  it('that causes its own events ends in an error', async () => {
    const shop: ScriptedSource = new ScriptedSource({
      note: ({ n }) => (shop.send('alert', { n: Number(n) + 1 }), 'ok'),
    });
    await using rig = await startWorkflow(
      'maxChain: 20\ntriggers: [{ on: alert, call: note, with: { n: =event.data.n } }]',
      { shop },
    );
    shop.send('alert', { n: 1 });
    await until(async () => (await rig.letters()).length === 1);
    await rig.runner.idle();
    expect(shop.calls).toHaveLength(20);
    const [letter] = await rig.letters();
    expect(letter?.error).toMatchObject({ code: 'loop', certainty: 'not-sent' });
    expect(letter?.error.message).toMatch(/alert#1 seems to cause .* raise "maxChain"/);
  });

  it('does not take a burst for a loop', async () => {
    const shop = noting();
    await using rig = await startWorkflow('maxChain: 20\ntriggers: [{ on: alert, call: note }]', {
      shop,
    });
    for (let n = 0; n < 500; n++) shop.send('alert', { n });
    await until(() => shop.calls.length === 500);
    await rig.runner.idle();
    expect(rig.runner.stats()).toMatchObject({ events: 500, runs: { done: 500, dead: 0 } });
  });

  it('only shows, in a dry run, what would be called', async () => {
    const shop = new ScriptedSource({ quote: () => ({ price: 7 }), note: () => 'ok' });
    await using rig = await startWorkflow(
      `
      triggers:
        - on: order
          where: event.data.amount > 10
          call: quote
          with: { symbol: =event.data.symbol }
          then:
            - { call: note, where: steps.quote.price > 5, with: { price: =steps.quote.price } }
            - { call: note, with: result }`,
      { shop },
      { dryRun: true },
    );
    await rig.runner.push({ name: 'order', data: { symbol: 'A', amount: 11 } });
    await rig.runner.push({ name: 'order', data: { symbol: 'B', amount: 1 } });
    await rig.runner.idle();
    expect(shop.calls).toEqual([]);
    expect(rig.runs).toMatchObject([
      {
        outcome: 'dry-run',
        steps: [
          { call: 'shop/quote', arguments: { symbol: 'A' }, state: 'waiting' },
          { call: 'shop/note', arguments: { price: '=steps.quote.price' } },
          { call: 'shop/note', arguments: { '...': '=result' } },
        ],
      },
    ]);
  });

  it('fails what is left when it is stopped without a journal', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const shop = new ScriptedSource({ first: () => gate, second: () => 'ok' });
    const stop = new AbortController();
    await using rig = await startWorkflow(
      'concurrency: 1\ntriggers: [{ on: alert, call: first, then: [{ call: second }] }]',
      { shop },
      { signal: stop.signal },
    );
    await rig.runner.push({ name: 'alert', data: 1 });
    await rig.runner.push({ name: 'alert', data: 2 });
    await until(() => shop.calls.length === 1);
    stop.abort();
    release();
    await rig.runner.closed;
    expect(shop.calls.map(({ tool }) => tool)).toEqual(['first']);
    expect(shop.listeners).toBe(0);
    const letters = await rig.letters();
    const codes = Object.fromEntries(letters.map(({ event, error }) => [event.data, error.code]));
    expect(codes).toEqual({ 1: 'stopped', 2: 'stopped' });
    await expect(rig.runner.push({ name: 'alert' })).rejects.toMatchObject({ code: 'closed' });
  });

  it('fails as a whole when its log cannot be written', async () => {
    const shop = noting();
    const full = new Error('the disk is full');
    const runner = createWorkflow(parseWorkflow('triggers: [{ on: alert, call: note }]'), {
      servers: { shop },
      log: () => Promise.reject(full),
    });
    await runner.start();
    await runner.push({ name: 'alert' });
    await expect(runner.closed).rejects.toBe(full);
    await expect(runner.idle()).rejects.toBe(full);
    await expect(runner.stop()).rejects.toBe(full);
  });
});

describe('before anything runs', () => {
  it('options that are wrong are named', () => {
    const workflow = parseWorkflow('triggers: [{ on: a, call: b }]');
    const make = (options: object) => () => createWorkflow(workflow, { servers: {}, ...options });
    expect(make({ jurnal: 'x' })).toThrow(/^jurnal: no such option/);
    expect(make({ maxQueued: 0 })).toThrow(/^maxQueued: 0 is not/);
    expect(make({ servers: { 'a/b': noting() } })).toThrow(/^servers: the name "a\/b"/);
  });

  it('an event of a server that is not known is refused', async () => {
    await using rig = await startWorkflow('triggers: [{ on: a, from: shop, call: note }]', {
      shop: noting(),
      other: noting(),
    });
    await expect(rig.runner.push({ name: 'a' })).rejects.toThrow('names no server');
    await expect(rig.runner.push({ name: 'a', server: 'x' })).rejects.toThrow('no server x');
  });
});
