import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve, type Serving } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { createDemoServer } from '../../src/demo/server.ts';
import { run, type Run } from '../run.ts';

let serving: Serving;
let cwd: string;
beforeAll(async () => {
  serving = await serve({ create: () => createDemoServer() });
});
afterAll(async () => {
  await serving.close();
});
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-run-'));
});
afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

const adding = `
name: sums
triggers:
  - on: pair
    call: add
    with: { a: =event.data.a, b: 1 }
    then: [{ call: echo, with: { message: =result } }]
  - { on: wrong, call: fail, with: { reason: nothing works } }
`;
const events = [
  { name: 'pair', id: 'e1', data: { a: 1 } },
  { name: 'pair', id: 'e1', data: { a: 1 } },
  { name: 'wrong', data: {} },
]
  .map((event) => JSON.stringify(event))
  .join('\n');

const lostLetter = {
  trigger: 'pear#1',
  event: { name: 'pair', server: 'math', id: 'e', at: '', data: {}, params: {} },
};

/** A promise, and what fulfils it. */
function latch(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

async function runWorkflow(
  text: string,
  args: string[],
  options: { onInterrupt?: (listener: () => void) => void } = {},
): Promise<Run> {
  await writeFile(join(cwd, 'w.yaml'), text);
  await writeFile(join(cwd, 'events.jsonl'), events);
  await writeFile(join(cwd, 'lost.jsonl'), JSON.stringify(lostLetter));
  return run(['run', 'w.yaml', ...args], { cwd, ...options });
}

const server = (): string[] => ['--server', `math=${serving.sseUrl}`];
const fed = ['--events', 'events.jsonl'];
const linesOf = async (name: string): Promise<unknown[]> =>
  (await readFile(join(cwd, name), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('longwire run', () => {
  it('handles the events of a file, and tells of every run', async () => {
    const files = ['--log', 'runs.jsonl', '--dead-letter', 'dead.jsonl', '--journal', 'journal'];
    const { code, stdout, stderr } = await runWorkflow(adding, [...server(), ...fed, ...files]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/pair#1 on pair of math: done, math\/add, math\/echo, \d/);
    expect(stdout).toMatch(/wrong#2 on wrong of math: dead, .*\(tool-error: .*nothing works\)/);
    expect(stderr).toContain('3 events: 1 done, 1 failed, 1 taken before.');
    expect(await linesOf('dead.jsonl')).toMatchObject([{ trigger: 'wrong#2' }]);
    const logged = (await linesOf('runs.jsonl')) as { trigger: string }[];
    expect(logged.find(({ trigger }) => trigger === 'pair#1')).toMatchObject({
      outcome: 'done',
      steps: [{ result: '1 + 1 = 2' }, { arguments: { message: '1 + 1 = 2' } }],
    });
  });

  it('knows from its journal what it has handled', async () => {
    const args = [...server(), ...fed, '--journal', 'journal', '--json'];
    const first = await runWorkflow(adding, args);
    expect(
      first.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toHaveLength(2);
    const again = await runWorkflow(adding, args);
    // The event without an id is another one.
    expect(again.stdout.trim().split('\n')).toHaveLength(1);
  });

  it.each([['--dead-letter'], ['--log']])('takes what %s wrote', async (option) => {
    const text = (call: string): string => `
triggers:
  - { id: log, on: log:warning, ${call} }
  - { id: other, on: log:warning, call: echo, with: { message: other } }`;
    const message = { level: 'error', data: { n: 7 }, logger: 'db' };
    await writeFile(
      join(cwd, 'log.jsonl'),
      JSON.stringify({ name: 'notifications/message', params: message }),
    );
    const failing = text('call: fail, with: { reason: nothing works }');
    const first = await runWorkflow(failing, [
      ...server(),
      '--events',
      'log.jsonl',
      option,
      'given-up.jsonl',
    ]);
    expect(first.stderr).toContain('1 event: 1 done, 1 failed.');
    const lines = (await linesOf('given-up.jsonl')) as { trigger: string; event: object }[];
    const line = lines.find(({ trigger }) => trigger === 'log');
    expect(line?.event).toMatchObject({ params: message, data: { n: 7 } });
    await writeFile(join(cwd, 'again.jsonl'), JSON.stringify(line));
    const repaired = text('call: add, with: { a: =event.data.n, b: 1 }');
    const again = await runWorkflow(repaired, [...server(), '--events', 'again.jsonl']);
    expect(again.stdout).toMatch(
      /^\S+ log on notifications\/message of math: done, math\/add, [^\n]+\n$/,
    );
    expect(again.code).toBe(0);
  });

  it('says that no trigger is about an event', async () => {
    await writeFile(join(cwd, 'two.jsonl'), '{"name":"pair","data":{"a":1}}\n{"name":"pear"}');
    const { stderr } = await runWorkflow(adding, [...server(), '--events', 'two.jsonl']);
    expect(stderr).toContain('No trigger is about 1 of the 2 events');
  });

  it('shows in a dry run what would be called', async () => {
    const args = [...server(), ...fed, '--dry-run', '--log', 'runs.jsonl'];
    const { code, stdout } = await runWorkflow(adding, args);
    expect(code).toBe(0);
    expect(stdout).toContain('pair#1 on pair of math would call\n  math/add {"a":1,"b":1}\n');
    expect(stdout).toContain('  math/echo {"message":"=result"}\n');
    await expect(readFile(join(cwd, 'runs.jsonl'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes servers from the file, and starts their commands', async () => {
    const path = fileURLToPath(
      import.meta.resolve('@modelcontextprotocol/server-everything/package.json'),
    ).replace('package.json', 'dist/index.js');
    const servers = JSON.stringify({
      every: { command: process.execPath, args: [path, 'stdio'] },
      math: serving.sseUrl,
    });
    const text = `servers: ${servers}\ntriggers: [{ on: pair, from: math, call: every/echo, with: { message: hi } }]`;
    await writeFile(join(cwd, 'one.jsonl'), '{ "name": "pair", "server": "math" }\n\n');
    const { code, stdout } = await runWorkflow(text, ['--events', 'one.jsonl']);
    expect(code).toBe(0);
    expect(stdout).toContain('pair of math: done, every/echo');
  });

  it('runs until it is interrupted', async () => {
    let interrupt: (() => void) | undefined;
    let stderr = '';
    const running = runWorkflow(adding, [...server(), '--log', 'runs.jsonl'], {
      onInterrupt: (listener) => (interrupt = listener),
    }).then((ended) => {
      stderr = ended.stderr;
      return ended;
    });
    await until(() => interrupt !== undefined);
    interrupt?.();
    expect((await running).code).toBe(130);
    expect(stderr).not.toContain('error');
  });

  it('lets the runs finish that have begun when it is interrupted', async () => {
    const held = latch();
    const called = latch();
    const slow = new McpServer({ name: 'slow', version: '1.0.0' });
    slow.registerTool('hold', {}, async () => {
      called.open();
      await held.opened;
      return { content: [{ type: 'text', text: 'held' }] };
    });
    slow.registerTool('note', {}, () => ({ content: [{ type: 'text', text: 'noted' }] }));
    const slowServing = await serve({ create: () => slow });
    try {
      let interrupt = (): void => {};
      const text = 'triggers: [{ on: pair, call: hold, then: [{ call: note }] }]';
      await writeFile(join(cwd, 'one.jsonl'), '{ "name": "pair", "server": "math" }\n');
      const running = runWorkflow(
        text,
        ['--server', `math=${slowServing.sseUrl}`, '--events', 'one.jsonl'],
        { onInterrupt: (listener) => (interrupt = listener) },
      );
      await called.opened;
      interrupt();
      held.open();
      const { code, stdout, stderr } = await running;
      expect(code).toBe(130);
      expect(stdout).toContain('pair of math: done, math/hold, math/note');
      expect(stderr).toContain('Finishing the runs that have begun, for 10 s at most;');
      expect(stderr).not.toContain('did not finish');
    } finally {
      held.open();
      await slowServing.close();
    }
  });

  it.each<[what: string, text: string, args: () => string[], code: number, told: RegExp]>([
    [
      'a typo',
      'triggers: [{ on: a, cal: b }]',
      server,
      2,
      /^error: w\.yaml:1:21: .*did you mean "call"\?\n$/,
    ],
    [
      'several mistakes',
      'triggers: [{ on: a, cal: b }]\nnmae: x',
      server,
      2,
      /w\.yaml:1:21: .*\n.*w\.yaml:2:1: .*did you mean "name"\?\n$/,
    ],
    [
      'an unknown tool',
      'triggers: [{ on: a, call: adt }]',
      server,
      2,
      /w\.yaml:1:27: the server math has no tool "adt"\. Did you mean add\?/,
    ],
    ['no servers', adding, () => [], 2, /give --server name=url/],
    [
      'a server without a name',
      adding,
      () => ['--server', 'http://h/sse'],
      2,
      /has no name: write name=url/,
    ],
    [
      'a server that is no URL',
      adding,
      () => ['--server', 'a=b'],
      2,
      /--server a "b" is not a server/,
    ],
    ['a command after --', adding, () => ['--', 'node'], 2, /run takes no command after --/],
    [
      'no such events',
      adding,
      () => [...server(), '--events', 'none'],
      2,
      /none could not be read: there is no such file/,
    ],
    [
      'a line that is no event',
      adding,
      () => [...server(), '--events', 'w.yaml'],
      2,
      /w\.yaml:2: not an event/,
    ],
    [
      'a dead letter of a trigger that is not there',
      adding,
      () => [...server(), '--events', 'lost.jsonl'],
      2,
      /lost\.jsonl:1: w\.yaml has no trigger "pear#1"\. Did you mean pair#1\?/,
    ],
    [
      'a server that is not there',
      adding,
      () => ['--server', 'math=http://127.0.0.1:1/sse'],
      3,
      /127\.0\.0\.1:1/,
    ],
  ])('with %s ends in an error', async (_what, text, args, code, told) => {
    const ended = await runWorkflow(text, args());
    expect(ended.stderr).toMatch(told);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
  });

  it('wants a file that is there', async () => {
    const { code, stderr } = await run(['run', 'none.yaml'], { cwd });
    expect(stderr).toContain('none.yaml could not be read: there is no such file');
    expect(code).toBe(2);
  });
});
