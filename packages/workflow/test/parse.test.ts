import { LongwireError } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { loadWorkflow, parseWorkflow, WorkflowError, workflowSchema } from '../src/index.ts';

function errorOf(text: string): WorkflowError {
  try {
    parseWorkflow(text, { file: 'w.yaml' });
  } catch (error) {
    if (error instanceof WorkflowError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

/** A workflow with these lines in its only trigger. */
function withTrigger(...lines: string[]): string {
  return [
    'triggers:',
    '  - on: alert',
    '    call: note',
    ...lines.map((line) => `    ${line}`),
  ].join('\n');
}

describe('a workflow file', () => {
  it('is read, its defaults filled in', () => {
    const workflow = parseWorkflow(withTrigger());
    expect(workflow).toMatchObject({ name: 'workflow', concurrency: 4, maxChain: 1000 });
    expect(workflow.triggers).toMatchObject([
      {
        name: 'alert#1',
        from: '*',
        filter: { kind: 'name', name: 'alert' },
        steps: [
          { kind: 'call', id: 'note', path: 'call', retry: { maxAttempts: 1, delayMs: 250 } },
        ],
      },
    ]);
  });

  it('may name its servers', () => {
    const { servers } = parseWorkflow(
      `servers: { a: "http://127.0.0.1:1/mcp", b: { command: node, args: [x.js] } }\n${withTrigger()}`,
    );
    expect(servers).toEqual({
      a: 'http://127.0.0.1:1/mcp',
      b: { command: 'node', args: ['x.js'] },
    });
  });

  it('may be JSON', () => {
    const text = JSON.stringify({ triggers: [{ on: 'alert', call: 'note' }] });
    expect(parseWorkflow(text).triggers).toHaveLength(1);
  });

  it('gives steps names unlike each other', () => {
    const [trigger] = parseWorkflow(
      withTrigger('then:', '  - call: note', '  - parallel: [{ call: a/note }, { call: b/other }]'),
    ).triggers;
    expect(trigger?.steps).toMatchObject([
      { id: 'note', path: 'call' },
      { id: 'note_2', path: 'then[0].call' },
      {
        id: 'parallel',
        path: 'then[1].parallel',
        branches: [
          { id: 'note_3', path: 'then[1].parallel[0].call' },
          { id: 'other', path: 'then[1].parallel[1].call' },
        ],
      },
    ]);
  });

  it('hands retries down to the steps that say nothing of it', () => {
    const [trigger] = parseWorkflow(
      withTrigger(
        'retry: { maxAttempts: 3 }',
        'then: [{ call: a }, { call: b, retry: { maxAttempts: 2, delayMs: 1 } }]',
      ),
    ).triggers;
    expect(trigger?.steps).toMatchObject([
      { retry: { maxAttempts: 3, delayMs: 250 } },
      { retry: { maxAttempts: 3, delayMs: 250 } },
      { retry: { maxAttempts: 2, delayMs: 1 } },
    ]);
  });

  it.each<[what: string, text: string, message: string | RegExp]>([
    [
      'a typo in a trigger',
      withTrigger('wehre: x'),
      'w.yaml:4:5: unknown key "wehre" in triggers[0]: did you mean "where"?',
    ],
    [
      'a typo in a step',
      withTrigger('then:', '  - cal: x'),
      /^w\.yaml:5:9: unknown key "cal" in triggers\[0\]\.then\[0\]: did you mean "call"\?$/m,
    ],
    [
      'a typo in a group',
      withTrigger('retry: { maxAtempts: 2 }'),
      /^w\.yaml:4:14: .*did you mean "maxAttempts"\?$/,
    ],
    [
      'a typo in de-duplication',
      withTrigger('key: event.x', 'dedupe: { within: 2 }'),
      /^w\.yaml:5:15: .*did you mean "withinMs"\?$/,
    ],
    [
      'a typo at the top',
      `nmae: x\n${withTrigger()}`,
      'w.yaml:1:1: unknown key "nmae" in the file: did you mean "name"?',
    ],
    [
      'a key like none',
      `${withTrigger()}\nqqqqqqqqqq: 1`,
      /; there are name, concurrency, maxChain, as, servers, triggers$/,
    ],
    [
      'a value of another kind',
      withTrigger('debounceMs: soon'),
      /w\.yaml:4:17: triggers\[0\]\.debounceMs: expected a number, found a string$/,
    ],
    [
      'an expression that is wrong',
      withTrigger('where: event.data.price >'),
      /w\.yaml:4:30: triggers\[0\]\.where: the expression is wrong: Unexpected end of expression/,
    ],
    [
      'a wrong expression in quotes',
      withTrigger('with: { a: "=event.data)" }'),
      /w\.yaml:4:28: triggers\[0\]\.with\.a: the expression is wrong/,
    ],
    ['no trigger', 'triggers: []', 'w.yaml:1:11: triggers: must be a list of at least one trigger'],
    ['an empty file', '', /w\.yaml:1:1: the file: expected an object, found nothing$/],
    ['no YAML', 'triggers: [', /^w\.yaml:1:\d+: /],
    ['one key twice', 'triggers: []\ntriggers: []', /w\.yaml:2:1: Map keys must be unique/],
    [
      'an event and none',
      'triggers:\n  - call: a',
      /w\.yaml:2:5: triggers\[0\]: a trigger has an "on"/,
    ],
    ['nothing to do', 'triggers:\n  - on: a', /something to do: write a "call"/],
    [
      'the short form and the long one',
      'triggers:\n  - { event: a, call: b }',
      /the short form is \{ event, tool, responseTool \}/,
    ],
    [
      'a short form with on',
      'triggers:\n  - { on: a, tool: b }',
      /"tool" and "responseTool" go with "event"/,
    ],
    [
      'a step that does nothing',
      withTrigger('then: [{ id: x }]'),
      /w\.yaml:4:12: .*a step has a "call"/,
    ],
    [
      'two steps of one id',
      withTrigger('then: [{ call: a, id: x }, { call: b, id: x }]'),
      /two steps of this trigger are called x/,
    ],
    [
      'two triggers of one id',
      'triggers: [{ id: a, on: a, call: b }, { id: a, on: b, call: b }]',
      /two triggers are called a/,
    ],
    [
      'a level that is none',
      'triggers:\n  - { on: "log:warn", call: a }',
      /w\.yaml:2:11: .*"warn" is no log level\. Did you mean warning\?/,
    ],
    ['de-duplication without a key', withTrigger('dedupe: true'), /de-duplication needs a "key"/],
    [
      'a server’s name with a slash',
      `servers: { a/b: "http://h" }\n${withTrigger()}`,
      /a server’s name is letters/,
    ],
  ])('with %s is refused, with the place', (_what, text, message) => {
    const error = errorOf(text);
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
  });

  it.each<[expression: string, message: string | undefined]>([
    [
      'evnt.data > 3',
      '4:12: triggers[0].where: the expression is wrong: nothing is called evnt here. Did you mean event?',
    ],
    [
      'event.at and $sum(data.x) > 1',
      '4:30: triggers[0].where: the expression is wrong: nothing is called data here. There are event.',
    ],
    [
      'result.x',
      '4:12: triggers[0].where: the expression is wrong: nothing is called result here. There are event.',
    ],
    ['event.data[price > 3].name = $map(event.params.list, function($v) { $v.a })[0]', undefined],
    ['"($x := event.data; $x.b ? event.at : -event.id)"', undefined],
  ])('whose condition is %s looks up what there is', (expression, message) => {
    const text = withTrigger(`where: ${expression}`);
    if (message === undefined) expect(parseWorkflow(text).triggers).toHaveLength(1);
    else expect(errorOf(text).message).toBe(`w.yaml:${message}`);
  });

  it('is told all that is wrong, in the order of the file', () => {
    const error = errorOf(withTrigger('wher: event', 'debounceMs: -1', 'then: [{ cal: x }]'));
    expect(error).toBeInstanceOf(LongwireError);
    expect([error.code, error.certainty, error.file]).toEqual(['config', 'not-sent', 'w.yaml']);
    expect(error.problems.map(({ line }) => line)).toEqual([4, 5, 6]);
    expect(error.message.split('\n')).toHaveLength(3);
  });

  it('cannot grow without bounds by aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      lines.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    }
    expect(errorOf(lines.join('\n')).message).toMatch(/alias/i);
  });

  it('has a JSON Schema for editors', () => {
    expect(workflowSchema()).toMatchObject({
      type: 'object',
      required: ['triggers'],
      properties: { triggers: { items: { properties: { debounceMs: { type: 'integer' } } } } },
    });
  });
});

describe('a workflow that is made to cost', () => {
  const bomb = 'bcdefghij'
    .split('')
    .map((name, at) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghij'[at]}`).join(',')}]`);

  it.each([
    ['lists', `triggers: ${'['.repeat(20_000)}${']'.repeat(20_000)}`, /nested deeper than 100/],
    ['a few hundred lists', `x: ${'['.repeat(300)}${']'.repeat(300)}`, /nested deeper than 100/],
    ['blocks', Array.from({ length: 1500 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'), /nested/],
    ['aliases', `a: &a [1]\n${bomb.join('\n')}`, /Excessive alias count/],
    [
      'names',
      'triggers: [{ on: a, call: b, with: { __proto__: { x: 1 } } }]',
      /"__proto__" cannot/,
    ],
  ])('by %s is refused', (_what, text, message) => {
    expect(() => parseWorkflow(text)).toThrow(WorkflowError);
    expect(() => parseWorkflow(text)).toThrow(message);
    expect(() => parseWorkflow(text)).not.toThrow(/call stack/);
  });

  it('is read from a file of text only', async () => {
    const missing = loadWorkflow('/no/such.yaml');
    await expect(missing).rejects.toThrow('/no/such.yaml could not be read: there is no such file');
    await expect(loadWorkflow(import.meta.dirname)).rejects.toThrow('it is a directory');
  });
});
