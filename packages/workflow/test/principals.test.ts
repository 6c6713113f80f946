import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createClient,
  LongwireError,
  type LongwireClient,
  type ToolSource,
} from '@longwire/client';
import { tokenRefresh } from '@longwire/client/middleware';
import { createGroup } from '@longwire/client/group';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { startUserServer, tokenOf, type UserServer } from '../../../test/principals/user-server.ts';
import { parseWorkflow, type Source, type WorkflowError } from '../src/index.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource, type ToolScript } from './support/scripted-source.ts';

expectNothingLeftOpen();
let server: UserServer;
let shop: LongwireClient;
beforeEach(async () => {
  server = await startUserServer();
  shop = client();
});
afterEach(async () => {
  await shop.close();
  await server.close();
});

const tokens = tokenRefresh({ provider: ({ principal = 'program' }) => tokenOf(principal) });

/** The program is a user of the server, too; each principal has a token of its own. */
function client(): LongwireClient {
  return createClient(`${server.origin}/mcp`, { name: 'shop', middleware: [tokens] });
}

describe('as', () => {
  it('of a step goes before that of its trigger, and that before the file’s', async () => {
    await using rig = await startWorkflow(
      `
      as: event.data.user
      triggers:
        - on: order
          call: who
          then:
            - call: who
              as: '"carol"'
              then:
                - call: who
            - parallel: [{ call: who }, { call: say, with: { text: hi }, as: steps.who_2 }]
        - { on: visit, call: who, as: '"dave"' }
      `,
      { shop },
    );
    await Promise.all(
      ['alice', 'bob'].map((user) => rig.runner.push({ name: 'order', data: { user } })),
    );
    await rig.runner.push({ name: 'visit' });
    await rig.runner.idle();
    const [alice, bob, visit] = ['alice', 'bob', undefined].map((user) =>
      rig.runs.find(({ event }) => (event.data as { user?: string } | undefined)?.user === user),
    );
    for (const [run, user] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const) {
      expect(run?.steps.map(({ result }) => result)).toEqual([
        user,
        'carol',
        'carol',
        user,
        'carol hi',
      ]);
      expect(run?.steps.map(({ principal }) => principal)).toEqual([
        user,
        'carol',
        'carol',
        user,
        'carol',
      ]);
    }
    expect(visit?.steps).toMatchObject([{ principal: 'dave', result: 'dave' }]);
    expect(server.crossed).toEqual([]);
  });

  it('is asked of a group, too', async () => {
    await using group = createGroup(
      { a: `${server.origin}/mcp`, b: `${server.origin}/sse` },
      { shared: { middleware: [tokens] } },
    );
    await using rig = await startWorkflow(
      'triggers: [{ on: order, call: b__who, as: event.data.user }]',
      { shop: group },
    );
    await rig.runner.push({ name: 'order', data: { user: 'alice' } });
    await rig.runner.idle();
    expect(rig.runs).toMatchObject([{ outcome: 'done', steps: [{ result: 'alice' }] }]);
  });

  it.each([
    ['nothing', {}],
    ['""', { user: '' }],
    ['42', { user: 42 }],
  ])('that finds %s fails the step before the call', async (found, data) => {
    await using rig = await startWorkflow(
      'triggers: [{ on: order, call: who, as: event.data.user }]',
      { shop },
    );
    await rig.runner.push({ name: 'order', data });
    await rig.runner.idle();
    const message = `the principal of shop/who: the expression event.data.user found ${found}, and`;
    expect(await rig.letters()).toMatchObject([
      {
        error: {
          code: 'expression',
          certainty: 'not-sent',
          message: expect.stringContaining(message),
        },
      },
    ]);
    expect(new Set(server.users)).toEqual(new Set(['program']));
  });

  it('of a source that is the view of another fails the step before the call', async () => {
    await using rig = await startWorkflow(
      'triggers: [{ on: order, call: who, as: event.data.user }]',
      {
        shop: shop.as('alice'),
      },
    );
    await rig.runner.push({ name: 'order', data: { user: 'bob' } });
    await rig.runner.idle();
    expect(await rig.letters()).toMatchObject([
      { error: { code: 'config', certainty: 'not-sent', message: /is the client as "alice"/ } },
    ]);
    await rig.runner.push({ name: 'order', data: { user: 'alice' } });
    await rig.runner.idle();
    expect(rig.runs.at(-1)).toMatchObject({ outcome: 'done', steps: [{ result: 'alice' }] });
  });

  it('is shown by a dry run', async () => {
    await using rig = await startWorkflow(
      `
      triggers:
        - on: order
          call: who
          as: event.data.user
          then: [{ call: note, as: result }]
      `,
      { shop },
      { dryRun: true },
    );
    await rig.runner.push({ name: 'order', data: { user: 'alice' } });
    await rig.runner.idle();
    expect(rig.runs).toMatchObject([
      {
        outcome: 'dry-run',
        steps: [
          { call: 'shop/who', principal: 'alice' },
          { call: 'shop/note', principal: '=result' },
        ],
      },
    ]);
  });

  it('is the same after a stop in the middle of the call', async () => {
    const journal = await mkdtemp(join(tmpdir(), 'longwire-journal-'));
    const asked: string[] = [];
    const sourceThat = (call: ToolScript): Source => {
      const source = new ScriptedSource({ note: call });
      return Object.assign(source, {
        as: (principal: string) => {
          asked.push(principal);
          return source as unknown as ToolSource;
        },
      });
    };
    // Each time that it is evaluated it is another.
    const text = 'triggers: [{ on: order, call: note, as: $string($random()), idempotent: true }]';
    let reached = (): void => {};
    const called = new Promise<void>((resolve) => (reached = resolve));
    const hanging = sourceThat(async (_args, _earlier, { signal }) => {
      reached();
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      throw new LongwireError('it was aborted', {
        code: 'aborted',
        certainty: 'outcome-unknown',
      });
    });
    try {
      {
        await using rig = await startWorkflow(text, { hanging }, { journal });
        await rig.runner.push({ name: 'order' });
        await called;
        await rig.runner.close();
      }
      await using rig = await startWorkflow(text, { hanging: sourceThat(() => 'ok') }, { journal });
      await rig.runner.idle();
      const [principal] = asked;
      expect(rig.runs).toMatchObject([
        { outcome: 'done', resumed: true, steps: [{ principal, state: 'done' }] },
      ]);
      expect(asked).toEqual([principal, principal]);
    } finally {
      await rm(journal, { recursive: true, force: true });
    }
  });
});

describe('a mistake in as is told with its line, once', () => {
  const problemsOf = (error: unknown): string => (error as WorkflowError).message;

  it('for an expression that is wrong, or looks up what is not there', () => {
    const parse = (text: string) => () => parseWorkflow(text, { file: 'w.yaml' });
    const two = 'triggers:\n  - { on: a, call: x }\n  - { on: b, call: y, then: [{ call: z }] }';
    expect(parse(`as: event.(\n${two}`)).toThrow(/^w\.yaml:1:\d+: as: the expression is wrong/);
    expect(parse(`as: alice\n${two}`)).toThrow(
      /^w\.yaml:1:5: as: .*nothing is called alice here\. There are event, steps\.$/,
    );
    expect(parse('triggers:\n  - { on: a, call: x, as: steps.y.id }')).toThrow(
      /^w\.yaml:2:\d+: triggers\[0\]\.as: .*no step before this one is called y\.$/,
    );
  });

  it('for a server that knows no principals', async () => {
    const source = new ScriptedSource({ who: () => 'me' });
    const text = 'triggers:\n  - { on: a, call: who, as: event.data.user }';
    const failure = await startWorkflow(text, { shop: source }).catch((error: unknown) => error);
    expect(problemsOf(failure)).toMatch(
      /^w\.yaml:2:\d+: as: the server shop was given without a method as/,
    );
  });
});
