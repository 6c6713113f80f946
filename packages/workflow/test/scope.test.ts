import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { parseWorkflow, WorkflowError } from '../src/index.ts';
import { startWorkflow } from './support/rig.ts';
import { ScriptedSource } from './support/scripted-source.ts';

expectNothingLeftOpen();

/** What is wrong with a file by itself, a line for each, without what all have in common. */
function problemsOf(text: string): string[] {
  try {
    parseWorkflow(text, { file: 'w' });
    return [];
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    return told(error);
  }
}

function told({ message }: WorkflowError): string[] {
  return message.split('\n').map((line) => line.replace('the expression is wrong: ', ''));
}

const trigger = (on: string, expression: string): string =>
  `triggers:\n- on: ${on}\n  where: ${expression}\n  call: note`;

describe('the properties of an event', () => {
  it.each<[on: string, expression: string, problem: string]>([
    [
      'alert',
      'event.price > 1',
      'event has no price. There are name, server, id, data, params, at.',
    ],
    ['alert', 'event.dtaa.price', 'event has no dtaa. Did you mean data'],
    ['alert', '$sum(event.dtaa.price)', 'event has no dtaa. Did you mean data'],
    ['alert', 'event."dtaa".price', 'event has no dtaa. Did you mean data'],
    ['alert', 'event.data[price > $$.event.dataa.x]', 'event has no dataa. Did you mean data'],
    ['alert', '$.evnt.data', 'nothing is called evnt here. Did you mean event?'],
    ['alert', '$exists(event.server.name)', 'event.server has no name.'],
    ['alert', 'event.data ~> $count() + $event', ''],
    ['log:info', 'event.params.levle = 1', 'event.params has no levle. Did you mean level?'],
    ['notifications/message', 'event.params.levl', 'event.params has no levl. Did you mean level?'],
    ['"resource:a:/*"', 'event.data.uri.x', 'event.data.uri has no x.'],
    ['resource:a:/b', 'event.data.url', 'event.data has no url. There are uri, title, _meta.'],
    ['alert', '$map([1], function($v) { event.dtaa })', 'event has no dtaa. Did you mean data'],
  ])('of %s: %s is checked before anything runs', (on, expression, problem) => {
    const problems = problemsOf(trigger(on, `'${expression}'`));
    if (problem === '') expect(problems).toEqual([]);
    else expect(problems).toEqual([expect.stringMatching(/^w:3:\d+: triggers\[0\]\.where: /)]);
    expect(problems[0] ?? '').toContain(problem);
  });

  it.each<[on: string, expression: string]>([
    ['alert', 'event.data.anything.at[0].all'],
    ['alert', 'event.params.anything'],
    ['alert', 'event.data[name = event.x].y'],
    ['alert', 'event.data.(price * amount)'],
    ['alert', 'event.*.price'],
    ['alert', '$lookup(event, "anything")'],
    ['log:info', 'event.data.anything'],
    ['log:info', 'event.params._meta.x'],
    ['log:info', '$lowercase(event.params.logger) = "db"'],
    ['"resource:a:/b"', 'event.params.title'],
    ['progress', 'event.params.progress > 1'],
  ])('of %s: %s may be there', (on, expression) => {
    expect(problemsOf(trigger(on, `'${expression}'`))).toEqual([]);
  });

  it('are checked in every expression, with the position', () => {
    const problems = problemsOf(`
triggers:
  - on: alert
    key: event.k
    call: a
    with: { deep: [{ x: =event.x }] }
    then:
      - call: b
        where: event.y
        with: event.z
      - parallel: [{ call: c, with: { v: =event.v } }]
    catch:
      - { call: d, with: { w: =event.w } }`);
    expect(problems.map((line) => line.replace(/ There are.*/, ''))).toEqual([
      'w:4:16: triggers[0].key: event has no k.',
      'w:6:32: triggers[0].with.deep[0].x: event has no x.',
      'w:9:22: triggers[0].then[0].where: event has no y.',
      'w:10:21: triggers[0].then[0].with: event has no z.',
      'w:11:49: triggers[0].then[1].parallel[0].with.v: event has no v.',
      'w:13:38: triggers[0].catch[0].with.w: event has no w.',
    ]);
  });
});

describe('the steps that an expression names', () => {
  const steps = (...lines: string[]): string =>
    ['triggers:', '- on: alert', '  call: price', '  then:', ...lines].join('\n');

  it.each<[what: string, step: string, problem: string | undefined]>([
    ['one that came before', 'call: b, with: { x: =steps.price.x }', undefined],
    [
      'a misspelt one',
      'call: b, with: { x: =steps.prize }',
      'is called prize. Did you mean price?',
    ],
    ['itself', 'call: buy, with: { x: =steps.buy }', 'is called buy. There are price.'],
    ['one that comes later', 'call: b, where: steps.last', 'is called last. There are price.'],
    ['one beside it', 'parallel: [{ call: b }, { call: c, where: steps.b }]', 'is called b.'],
    [
      'one before it in its branch',
      'parallel: [{ call: b, then: [{ call: c, where: steps.b }] }]',
      undefined,
    ],
    ['one of the error branch', 'call: b, where: steps.tell', 'is called tell.'],
    ['its error', 'call: b, where: error.code', 'nothing is called error here.'],
    ['the result', 'call: b, where: result.x', undefined],
  ])('may be %s or not', (_what, step, problem) => {
    const problems = problemsOf(
      `${steps(`  - { ${step} }`, '  - call: last')}\n  catch: [{ call: tell }]`,
    );
    if (problem === undefined) expect(problems).toEqual([]);
    else expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it('are those of all branches after they are done, and of all steps in the error branch', () => {
    const text = `
triggers:
  - on: alert
    parallel: [{ call: a }, { call: b, then: [{ call: c }] }]
    then: [{ call: d, where: 'steps.a = steps.c and steps.parallel[0] = result[0]' }]
    catch: [{ call: e, where: steps.d or error.step = steps.a, then: [{ call: f, with: { x: =steps.e } }] }]`;
    expect(problemsOf(text)).toEqual([]);
  });

  it('are none in the first step, and in what a trigger itself says', () => {
    const text = `
triggers:
  - { on: alert, where: steps.a, call: a }
  - { on: alert, call: a, with: { x: =result } }
  - { on: alert, call: a, with: { x: =steps.a } }
  - { on: alert, call: a, catch: [{ call: b, with: { x: =result, y: =error.mesage } }] }`;
    expect(problemsOf(text).map((line) => line.replace(/^.*?: /, ''))).toEqual([
      'triggers[0].where: nothing is called steps here. There are event.',
      'triggers[1].with.x: nothing is called result here. There are event, steps.',
      'triggers[2].with.x: no step before this one is called a.',
      'triggers[3].catch[0].with.x: nothing is called result here. There are event, steps, error.',
      'triggers[3].catch[0].with.y: error has no mesage. Did you mean message?',
    ]);
  });

  it('are written in backticks where they are no plain names', () => {
    const text = (expression: string): string =>
      `triggers: [{ on: alert, call: get-price, then: [{ call: b, where: '${expression}' }] }]`;
    expect(problemsOf(text('steps.`get-price` > 1'))).toEqual([]);
    expect(problemsOf(text('steps.`get-prize` > 1'))[0]).toContain('Did you mean `get-price`?');
    expect(problemsOf(text('steps.get-price > 1'))[0]).toContain('There are `get-price`.');
  });
});

describe('the results that expressions are about', () => {
  const object = { type: 'object' as const };
  const schema = (extra: object): { run: () => string; tool: object } => ({
    run: () => 'ok',
    tool: { outputSchema: { ...object, ...extra } },
  });
  const price = {
    properties: { price: { type: 'number' }, at: { ...object, properties: { place: {} } } },
  };
  const servers = {
    shop: new ScriptedSource({
      closed: schema({ ...price, additionalProperties: false }),
      silent: schema(price),
      open: schema({ ...price, additionalProperties: true }),
      either: schema({ anyOf: [price] }),
      list: schema({ properties: { all: { type: 'array', items: { ...object, ...price } } } }),
      odd: { run: () => 'ok', tool: JSON.parse('{ "outputSchema": null }') as object },
      own: schema({ properties: { isError: {} } }),
      plain: () => 'ok',
      note: () => 'ok',
    }),
  };

  async function problemsAtStart(step: string): Promise<string[]> {
    const text = `triggers:\n- on: a\n  call: ${step} }]`;
    const error: unknown = await startWorkflow(text, servers)
      .then(async (rig) => rig[Symbol.asyncDispose]())
      .catch((reason: unknown) => reason);
    if (error === undefined) return [];
    if (error instanceof WorkflowError) return told(error);
    throw new Error('it failed otherwise', { cause: error });
  }

  it.each<[step: string, problem: string | undefined]>([
    [
      'closed\n  then: [{ call: note, where: steps.closed.isError != true',
      'steps.closed is what the tool answered, without isError; a call that fails goes to "catch".',
    ],
    [
      'plain\n  then: [{ call: note, where: steps.plain.isError != true',
      'steps.plain is what the tool answered, without isError; a call that fails goes to "catch".',
    ],
    [
      'plain\n  then: [{ call: note, where: result.structuredContent.x',
      'result is what the tool answered, without structuredContent;',
    ],
    ['own\n  then: [{ call: note, where: result.isError', undefined],
    [
      'closed\n  then: [{ call: note, where: steps.closed.cost',
      'steps.closed has no cost. There are price, at.',
    ],
    [
      'closed\n  then: [{ call: note, where: result.prise',
      'result has no prise. Did you mean price?',
    ],
    ['closed\n  then: [{ call: note, where: result.price.x', 'result.price has no x.'],
    [
      'closed\n  then: [{ call: note, where: result.at.plaec',
      'result.at has no plaec. Did you mean place?',
    ],
    [
      'silent\n  then: [{ call: note, where: result.prise',
      'result has no prise. Did you mean price?',
    ],
    ['silent\n  then: [{ call: note, where: result.weight', undefined],
    ['open\n  then: [{ call: note, where: result.prise', undefined],
    ['either\n  then: [{ call: note, where: result.prise', undefined],
    ['plain\n  then: [{ call: note, where: result.anything', undefined],
    ['odd\n  then: [{ call: note, where: result.anything', undefined],
    [
      'list\n  then: [{ call: note, where: "result.all[0].prise"',
      'result.all has no prise. Did you mean price?',
    ],
    // Where the step before is left out, the result is that of another one.
    [
      'plain\n  then: [{ call: closed, where: event.data }, { call: note, where: result.cost',
      undefined,
    ],
  ])('are checked against the output schemas: %s', async (step, problem) => {
    const problems = await problemsAtStart(step);
    if (problem === undefined) expect(problems).toEqual([]);
    else expect(problems).toEqual([expect.stringContaining(problem)]);
  });
});
