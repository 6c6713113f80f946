import { LongwireError, type Tool } from '@longwire/client';
import { describe, expect, it, vi } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { until } from '../../../test/support/until.ts';
import { createWorkflow, parseWorkflow, WorkflowError } from '../src/index.ts';
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

describe('events of one key', () => {
  it('are debounced: the last one counts', async () => {
    const shop = noting();
    await using rig = await startWorkflow(
      'triggers: [{ on: alert, key: event.data.k, debounceMs: 30, call: note, with: =event.data }]',
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
      // An expression that seems to take a minute is given up.
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
      // Those of different keys go on at the same time, or it would wait for ever.
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
          retry: { attempts: 2, delayMs: 5 }
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

describe('a workflow', () => {
  it('lets so many runs go on at a time, in order, and gives up what is too much', async () => {
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

  it('that causes its own events ends in an error instead of going on', async () => {
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

  it('gives up what is left when it is stopped without a journal', async () => {
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
  async function refusal(text: string): Promise<WorkflowError> {
    const shop = new ScriptedSource({
      note: () => 'ok',
      exchange: {
        run: () => 'ok',
        tool: { inputSchema: { type: 'object', properties: { symbol: {} } } },
      },
      buy: {
        run: () => 'ok',
        tool: {
          inputSchema: {
            type: 'object',
            properties: { symbol: {}, amount: {} },
            required: ['symbol'],
            additionalProperties: false,
          },
        },
      },
    });
    const error: unknown = await startWorkflow(text, {
      shop,
      log: new ScriptedSource({ write: () => 'ok' }),
    }).catch((reason: unknown) => reason);
    expect([shop.calls, shop.listeners]).toEqual([[], 0]);
    if (error instanceof WorkflowError) return error;
    throw error;
  }

  it.each<[what: string, trigger: string, message: string]>([
    [
      'a tool that is not there',
      '{ on: a, from: shop, call: nota }',
      'w.yaml:2:30: the server shop has no tool "nota". Did you mean note?',
    ],
    [
      'a tool of another server',
      '{ on: a, from: shop, call: write }',
      'w.yaml:2:30: the server shop has no tool "write". Did you mean log/write?',
    ],
    [
      'a tool of a server by name',
      '{ on: a, call: log/wirte }',
      'w.yaml:2:18: the server log has no tool "wirte". Did you mean write?',
    ],
    [
      'a tool in the error branch',
      '{ on: a, from: shop, call: note, catch: [{ call: tell }] }',
      'w.yaml:2:52: the server shop has no tool "tell".',
    ],
    [
      'a server that is not there',
      '{ on: a, from: shpo, call: note }',
      'w.yaml:2:18: from: no server is called shpo. Did you mean shop?',
    ],
    [
      'an argument that is missing',
      '{ on: a, from: shop, call: buy, with: { amount: 1 } }',
      'w.yaml:2:30: the tool "buy" also needs symbol',
    ],
    [
      'an argument that is nearly known',
      '{ on: a, from: shop, call: exchange, with: { symbl: A, other: 1 } }',
      'w.yaml:2:30: the tool "exchange" has no argument "symbl". Did you mean symbol?',
    ],
    [
      'an argument that is not known',
      '{ on: a, from: shop, call: buy, with: { symbol: A, amuont: 1 } }',
      'w.yaml:2:30: the tool "buy" has no argument "amuont". Did you mean amount?',
    ],
  ])('%s is found, with the place', async (_what, trigger, message) => {
    expect((await refusal(`triggers:\n- ${trigger}`)).message).toBe(message);
  });

  it('a tool of twenty thousand arguments is told about in few words', async () => {
    const names = Array.from({ length: 20_000 }, (_, at) => `${'n'.repeat(100)}${at}`);
    const properties = Object.fromEntries(names.map((name) => [name, {}]));
    const wide = (required: string[]): ScriptedSource =>
      new ScriptedSource({
        buy: {
          run: () => 'ok',
          tool: {
            inputSchema: { type: 'object', properties, required, additionalProperties: false },
          },
        },
      });
    const start = (required: string[], args: string): Promise<unknown> =>
      startWorkflow(`triggers: [{ on: a, from: shop, call: buy, with: { ${args} } }]`, {
        shop: wide(required),
      }).catch((reason: unknown) => reason);
    expect(String(await start(names, 'x: 1'))).toMatch(/also needs .* and 19980 more$/);
    expect(String(await start([], 'x: 1'))).toMatch(/has no argument "x"\.$/);
  });

  it('a tool whose schema has no properties or requirements of the right kind takes anything', async () => {
    const odd = {
      type: 'object',
      properties: null,
      required: 'x',
    } as unknown as Tool['inputSchema'];
    const shop = new ScriptedSource({ buy: { run: () => 'ok', tool: { inputSchema: odd } } });
    await using rig = await startWorkflow(
      'triggers: [{ on: a, from: shop, call: buy, with: { x: 1 } }]',
      { shop },
    );
    await rig.runner.push({ name: 'a', server: 'shop' });
  });

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
