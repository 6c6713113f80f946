import { type Tool } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { WorkflowError } from '../src/index.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';

expectNothingLeftOpen();

describe('before anything runs', () => {
  async function errorOf(text: string): Promise<WorkflowError> {
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
    expect((await errorOf(`triggers:\n- ${trigger}`)).message).toBe(message);
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
});
