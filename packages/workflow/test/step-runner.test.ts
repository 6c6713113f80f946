import { LongwireError, ToolResultError, type Certainty, type ErrorCode } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';

expectNothingLeftOpen();

const readOnly = { annotations: { readOnlyHint: true } };

function failing(certainty: Certainty, code: ErrorCode = 'connection-lost'): () => never {
  return () => {
    throw new LongwireError('it went wrong', { code, certainty });
  };
}

/** Fails so often, then answers `ok`. */
function failingTimes(times: number, certainty: Certainty) {
  const fail = failing(certainty);
  return (_args: unknown, earlier: number): unknown => (earlier < times ? fail() : 'ok');
}

describe('the short form', () => {
  it('gives the data of the event to the tool, and its result to the response tool', async () => {
    const shop = new ScriptedSource({ quote: () => ({ price: 7 }), record: () => 'ok' });
    await using rig = await startWorkflow(
      'triggers: [{ event: order, tool: quote, responseTool: record }]',
      { shop },
    );
    await rig.runner.push({ name: 'order', data: { symbol: 'A' } });
    await rig.runner.idle();
    expect(shop.calls).toEqual([
      { tool: 'quote', args: { symbol: 'A' } },
      { tool: 'record', args: { price: 7 } },
    ]);
    expect(rig.runs).toMatchObject([
      {
        trigger: 'order#1',
        outcome: 'done',
        event: { name: 'order', server: 'shop', data: { symbol: 'A' } },
        steps: [
          { id: 'quote', call: 'shop/quote', state: 'done', result: { price: 7 }, attempts: 1 },
          { id: 'record', call: 'shop/record', state: 'done', result: 'ok' },
        ],
      },
    ]);
  });

  it('fails where the result is no object', async () => {
    const shop = new ScriptedSource({ quote: () => 'seven', record: () => 'ok' });
    await using rig = await startWorkflow(
      'triggers: [{ event: order, tool: quote, responseTool: record }]',
      { shop },
    );
    await rig.runner.push({ name: 'order', data: {} });
    await rig.runner.idle();
    expect(shop.argsOf('record')).toEqual([]);
    expect(await rig.letters()).toMatchObject([
      { trigger: 'order#1', error: { code: 'invalid-arguments', step: 'record' } },
    ]);
  });
});

describe('expressions', () => {
  it('decide and fill in arguments, over the event and earlier results', async () => {
    const market = new ScriptedSource({
      quote: ({ symbol }) => ({ symbol, price: 7 }),
      note: () => 'noted',
    });
    const log = new ScriptedSource({ write: () => 'ok' });
    await using rig = await startWorkflow(
      `
      triggers:
        - on: order
          from: mark*
          where: event.data.amount > 10
          call: quote
          with: { symbol: =event.data.symbol, kind: plain, gone: =event.data.nothing }
          then:
            - call: log/write
              id: saved
              with:
                text: ='price ' & $string(steps.quote.price)
                deep: [{ amount: =event.data.amount }]
            - call: note
              where: steps.saved = 'never'
              then: [{ call: note }]
            - call: note
              with: '{ "all": $merge([steps.quote, { "server": event.server }]), "last": result }'`,
      { market, log },
    );
    await rig.runner.push({ name: 'order', server: 'market', data: { symbol: 'A', amount: 11 } });
    await rig.runner.push({ name: 'order', server: 'market', data: { symbol: 'B', amount: 10 } });
    await rig.runner.push({ name: 'order', server: 'log', data: { symbol: 'C', amount: 11 } });
    await rig.runner.idle();
    expect(market.calls).toEqual([
      { tool: 'quote', args: { symbol: 'A', kind: 'plain' } },
      {
        tool: 'note',
        args: { all: { symbol: 'A', price: 7, server: 'market' }, last: 'ok' },
      },
    ]);
    expect(log.calls).toEqual([
      { tool: 'write', args: { text: 'price 7', deep: [{ amount: 11 }] } },
    ]);
    expect(rig.runs.map(({ steps }) => steps.map(({ id, state }) => [id, state]))).toEqual([
      [
        ['quote', 'done'],
        ['saved', 'done'],
        ['note', 'skipped'],
        ['note_3', 'done'],
      ],
    ]);
  });

  describe('that find nothing for an argument', () => {
    const buy = (inputSchema: object): ScriptedSource =>
      new ScriptedSource({
        buy: { run: () => 'ok', tool: { inputSchema: { type: 'object', ...inputSchema } } },
        note: () => 'ok',
      });
    const order = {
      type: 'object',
      properties: { symbol: {}, count: {} },
      required: ['symbol'],
    };
    const flat = { properties: { symbol: {}, count: {} }, required: ['symbol'] };
    const deep = { properties: { order, list: { type: 'array', items: order } } };

    it.each<[what: string, schema: object, step: string, error: object]>([
      [
        'it is required',
        flat,
        '{ symbol: =event.data.symbl, count: 1 }',
        {
          code: 'expression',
          certainty: 'not-sent',
          step: 'buy',
          message:
            'the argument symbol of shop/buy: the expression event.data.symbl found nothing, and the tool requires it',
        },
      ],
      [
        'a part of it is required',
        deep,
        '{ order: { symbol: =event.data.symbl } }',
        { code: 'expression', message: expect.stringMatching(/^the argument order\.symbol of /) },
      ],
      [
        'a part of an item is required',
        deep,
        '{ list: [{ symbol: a }, { symbol: =event.data.symbl }] }',
        {
          code: 'expression',
          message: expect.stringMatching(/^the argument list\[1\]\.symbol of /),
        },
      ],
      [
        'it is an item of a list',
        {},
        '{ list: [=event.data.symbol, =event.data.symbl] }',
        {
          code: 'expression',
          message: expect.stringMatching(/^the argument list\[1\] of .* a list has no gaps$/),
        },
      ],
      [
        'it is all of them',
        flat,
        'event.data.order',
        {
          code: 'expression',
          message: 'the arguments of shop/buy: the expression event.data.order found nothing',
        },
      ],
      [
        'it is within one expression for all of them',
        flat,
        '\'{ "symbol": event.data.symbl, "count": 1 }\'',
        { code: 'invalid-arguments', message: 'the tool shop/buy also needs symbol' },
      ],
    ])('give the event up where %s', async (_what, schema, given, error) => {
      const shop = buy(schema);
      await using rig = await startWorkflow(
        `triggers: [{ on: order, call: buy, with: ${given}, then: [{ call: note }] }]`,
        { shop },
      );
      await rig.runner.push({ name: 'order', data: { symbol: 'A' } });
      await rig.runner.idle();
      expect(shop.calls).toEqual([]);
      expect(await rig.letters()).toMatchObject([{ trigger: 'order#1', error }]);
    });

    it('run the error branch', async () => {
      const shop = buy(flat);
      await using rig = await startWorkflow(
        'triggers: [{ on: order, call: buy, with: { symbol: =event.data.x }, catch: [{ call: note, with: { code: =error.code } }] }]',
        { shop },
      );
      await rig.runner.push({ name: 'order', data: {} });
      await rig.runner.idle();
      expect(shop.calls).toEqual([{ tool: 'note', args: { code: 'expression' } }]);
    });

    it('omit it if it is optional, and give null where that is the value', async () => {
      const shop = buy({ ...flat, ...deep, required: [] });
      await using rig = await startWorkflow(
        'triggers: [{ on: order, call: buy, with: { symbol: =event.data.none, count: =event.data.nil, order: =event.data.order } }]',
        { shop },
      );
      await rig.runner.push({ name: 'order', data: { nil: null } });
      await rig.runner.idle();
      expect(shop.calls).toEqual([{ tool: 'buy', args: { count: null } }]);
    });

    it('are shown by a dry run', async () => {
      const shop = buy(flat);
      await using rig = await startWorkflow(
        `
        triggers:
          - { on: order, call: buy, with: { symbol: =event.data.symbl } }
          - { on: order, call: note, then: [{ call: buy, with: { symbol: =result.symbol } }] }`,
        { shop },
        { dryRun: true, concurrency: 1 },
      );
      await rig.runner.push({ name: 'order', data: { symbol: 'A' } });
      await rig.runner.idle();
      expect(shop.calls).toEqual([]);
      expect(rig.runs).toMatchObject([
        { trigger: 'order#1', outcome: 'dead', error: { code: 'expression' } },
        { outcome: 'dry-run', steps: [{}, { arguments: { symbol: '=result.symbol' } }] },
      ]);
    });
  });

  it('that fail make the run dead, and say which', async () => {
    const shop = new ScriptedSource({ note: () => 'ok' });
    await using rig = await startWorkflow(
      `
      triggers:
        - { id: condition, on: order, where: event.data.amount > 'ten', call: note }
        - { id: arguments, on: order, call: note, with: { a: =$nosuch(1) } }
        - { id: endless, on: order, call: note, with: { a: "=($f := function($x) { 1 + $f($x) }; $f(1))" } }`,
      { shop },
    );
    await rig.runner.push({ name: 'order', data: { amount: 1 } });
    await rig.runner.idle();
    expect(shop.calls).toEqual([]);
    const letters = await rig.letters();
    expect(letters.map(({ error }) => error.code)).toEqual(Array(3).fill('expression'));
    const messages = Object.fromEntries(
      letters.map((letter) => [letter.trigger, letter.error.message]),
    );
    expect(messages).toMatchObject({
      condition: expect.stringContaining("event.data.amount > 'ten' failed"),
      arguments: expect.stringContaining('$nosuch(1) failed'),
      endless: expect.stringContaining('failed'),
    });
  });

  it.each<[what: string, result: unknown, value: unknown]>([
    ['structured content', { content: [], structuredContent: { a: 1 } }, { a: 1 }],
    ['text', 'plain', 'plain'],
    ['text that is JSON', '[1, 2]', [1, 2]],
    ['text that only begins like JSON', '[1, 2', '[1, 2'],
    [
      'an image',
      { content: [{ type: 'image', data: 'aGk=', mimeType: 'image/png' }] },
      [{ type: 'image', data: 'aGk=', mimeType: 'image/png' }],
    ],
  ])('see a result that is %s', async (_what, result, value) => {
    const shop = new ScriptedSource({ look: () => result, note: () => 'ok' });
    await using rig = await startWorkflow(
      'triggers: [{ on: order, call: look, then: [{ call: note, with: { seen: =result } }] }]',
      { shop },
    );
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(shop.argsOf('note')).toEqual([{ seen: value }]);
  });
});

describe('steps in parallel', () => {
  const text = `
    triggers:
      - on: order
        parallel:
          - { call: first }
          - { call: second, then: [{ call: third, with: { from: =result } }] }
        then: [{ call: last, with: { all: =result } }]`;

  it('run at the same time, and their results come as a list', async () => {
    let release = (): void => undefined;
    const second = new Promise<void>((resolve) => (release = resolve));
    const shop = new ScriptedSource({
      // The first one waits for the second: one after the other would never end.
      first: () => second.then(() => 'one'),
      second: () => (release(), 'two'),
      third: () => 'three',
      last: () => 'ok',
    });
    await using rig = await startWorkflow(text, { shop });
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(shop.argsOf('third')).toEqual([{ from: 'two' }]);
    expect(shop.argsOf('last')).toEqual([{ all: ['one', 'three'] }]);
  });

  it('are all waited for when one fails', async () => {
    const shop = new ScriptedSource({
      first: failing('answered', 'server-error'),
      second: () => 'two',
      third: () => 'three',
      last: () => 'ok',
    });
    await using rig = await startWorkflow(text, { shop });
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(shop.calls.map(({ tool }) => tool)).toEqual(['first', 'second', 'third']);
    expect(rig.runs).toMatchObject([{ outcome: 'dead', error: { step: 'first' } }]);
  });
});

describe('a call that fails', () => {
  const text =
    'triggers: [{ on: order, call: note, retry: { maxAttempts: 3, delayMs: 1 }, idempotent: IDEMPOTENT }]';

  it.each<[certainty: Certainty, idempotent: boolean, calls: number]>([
    ['not-sent', false, 3],
    ['refused', false, 3],
    ['outcome-unknown', false, 1],
    ['outcome-unknown', true, 3],
    ['answered', false, 1],
    ['answered', true, 3],
  ])('with %s (idempotent: %s) is made %d times', async (certainty, idempotent, calls) => {
    const shop = new ScriptedSource({ note: failing(certainty) });
    await using rig = await startWorkflow(text.replace('IDEMPOTENT', String(idempotent)), { shop });
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(shop.calls).toHaveLength(calls);
    expect(await rig.letters()).toMatchObject([
      { event: { name: 'order' }, error: { code: 'connection-lost', certainty, step: 'note' } },
    ]);
  });

  it('is repeated if its tool is annotated as harmless', async () => {
    const run = failingTimes(2, 'outcome-unknown');
    const shop = new ScriptedSource({ note: { run, tool: readOnly } });
    const plain = 'triggers: [{ on: order, call: note, retry: { maxAttempts: 3, delayMs: 1 } }]';
    await using rig = await startWorkflow(plain, { shop });
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(rig.runs).toMatchObject([{ outcome: 'done', steps: [{ attempts: 3, result: 'ok' }] }]);
  });

  it('is not repeated by the hints of a server whose hints are not trusted', async () => {
    const tool = { tool: readOnly, run: failingTimes(1, 'outcome-unknown') };
    const shop = Object.assign(new ScriptedSource({ note: tool }), { trustHints: false });
    const plain = 'triggers: [{ on: order, call: note, retry: { maxAttempts: 3, delayMs: 1 } }]';
    await using rig = await startWorkflow(plain, { shop });
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(shop.calls).toHaveLength(1);
  });

  it('is not repeated where that cannot help', async () => {
    const shop = new ScriptedSource({ note: failing('not-sent', 'invalid-arguments') });
    await using rig = await startWorkflow(text.replace('IDEMPOTENT', 'true'), { shop });
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(shop.calls).toHaveLength(1);
  });

  it('runs the error branch, which sees the error', async () => {
    const shop = new ScriptedSource({
      buy: () => ({ isError: true, content: [{ type: 'text', text: 'sold out' }] }),
      ship: () => 'ok',
      tell: () => 'ok',
    });
    await using rig = await startWorkflow(
      `
      triggers:
        - on: order
          call: buy
          then: [{ call: ship }]
          catch: [{ call: tell, with: { why: =error.message, code: =error.code, step: =error.step } }]`,
      { shop },
    );
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(shop.argsOf('ship')).toEqual([]);
    const why = 'shop/buy answered with an error: sold out';
    expect(shop.argsOf('tell')).toEqual([{ why, code: 'tool-error', step: 'buy' }]);
    expect(rig.runs).toMatchObject([{ outcome: 'caught', error: { code: 'tool-error' } }]);
    expect(await rig.letters()).toEqual([]);
  });

  it('is dead if the error branch fails, too', async () => {
    const shop = new ScriptedSource({
      buy: failing('refused'),
      tell: failing('refused', 'forbidden'),
    });
    await using rig = await startWorkflow(
      'triggers: [{ on: order, call: buy, catch: [{ call: tell }] }]',
      { shop },
    );
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(rig.runner.stats().runs).toMatchObject({ dead: 1, caught: 0 });
    expect(await rig.letters()).toMatchObject([
      { error: { step: 'buy', message: expect.stringContaining('in the error branch') } },
    ]);
  });

  it('is given the time and the promise that its step has', async () => {
    const given: object[] = [];
    const shop = new ScriptedSource({
      note: (_args, _earlier, { timeoutMs, idempotent }) => given.push({ timeoutMs, idempotent }),
    });
    await using rig = await startWorkflow(
      'triggers: [{ on: order, call: note, timeoutMs: 500, idempotent: true, then: [{ call: note }] }]',
      { shop },
    );
    await rig.runner.push({ name: 'order' });
    await rig.runner.idle();
    expect(given).toEqual([{ timeoutMs: 500, idempotent: true }, {}]);
  });
});

describe('a call that was answered', () => {
  it('is done, and not made again, when the result is not what the tool promised', async () => {
    const result = { content: [], structuredContent: { order: 7 } };
    const shop = new ScriptedSource({
      buy: {
        tool: readOnly,
        run: () => {
          throw new ToolResultError('buy ran and answered, but not as promised', { result });
        },
      },
      note: () => 'noted',
    });
    await using rig = await startWorkflow(
      `
      triggers:
        - on: order
          call: buy
          retry: { maxAttempts: 3, delayMs: 1 }
          then: [{ call: note, with: { text: =steps.buy.order } }]`,
      { shop },
    );
    await rig.runner.push({ name: 'order', data: {} });
    await rig.runner.idle();
    expect(shop.argsOf('buy')).toHaveLength(1);
    expect(shop.argsOf('note')).toEqual([{ text: 7 }]);
    expect(rig.runs).toMatchObject([{ outcome: 'done' }]);
  });

  it.each(['protocol', 'limit-exceeded'] as const)(
    'is not made again when the answer cannot be used (%s)',
    async (code) => {
      const shop = new ScriptedSource({ buy: { tool: readOnly, run: failing('answered', code) } });
      await using rig = await startWorkflow(
        'triggers: [{ on: order, call: buy, retry: { maxAttempts: 3, delayMs: 1 } }]',
        { shop },
      );
      await rig.runner.push({ name: 'order', data: {} });
      await rig.runner.idle();
      expect(shop.argsOf('buy')).toHaveLength(1);
      expect(await rig.letters()).toMatchObject([{ error: { code, certainty: 'answered' } }]);
    },
  );
});

describe('an integer beyond 2^53', () => {
  const id = 9007199254740993n;

  it('is handed through expressions as it was written', async () => {
    const shop = new ScriptedSource({ find: () => ({ id, n: 7 }), note: () => 'noted' });
    await using rig = await startWorkflow(
      `
      triggers:
        - on: order
          call: find
          with: { id: =event.data.id }
          then:
            - call: note
              where: steps.find.id = event.data.id
              with: { id: =steps.find.id, text: ='no. ' & $string(result.id), more: '=[result.id, result.n + 1]' }`,
      { shop },
    );
    await rig.runner.push({ name: 'order', data: { id } });
    await rig.runner.idle();
    expect(shop.argsOf('find')).toEqual([{ id }]);
    expect(shop.argsOf('note')).toEqual([{ id, text: `no. ${id}`, more: [id, 8] }]);
  });

  it('is refused where it is counted with', async () => {
    const shop = new ScriptedSource({ note: () => 'noted' });
    await using rig = await startWorkflow(
      'triggers: [{ on: order, call: note, with: { id: =event.data.id + 1 } }]',
      { shop },
    );
    await rig.runner.push({ name: 'order', data: { id } });
    await rig.runner.idle();
    expect(shop.calls).toEqual([]);
    expect(await rig.letters()).toMatchObject([{ error: { code: 'expression' } }]);
  });
});
