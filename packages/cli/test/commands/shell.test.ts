import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { run, type Run } from '../run.ts';

let url = '';
let other = '';
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  for (let n = 0; n < 2; n++) {
    const serving = await serve({ create: () => createDemoServer() });
    closing.push(() => serving.close());
    [url, other] = [serving.sseUrl, url];
  }
});
afterAll(async () => {
  for (const close of closing) await close();
});

/** A session of these lines, without a terminal. */
function shell(lines: readonly string[], servers: readonly string[] = [url]): Promise<Run> {
  return run(['shell', ...servers], { input: lines.map((line) => `${line}\n`).join('') });
}

describe('the lines of a pipe', () => {
  it('are commands of the command line, or calls', async () => {
    const { code, stdout, stderr } = await shell([
      'add a=1 b=2',
      'call add a=2 b=3 --json',
      'resources --json',
      'read demo://about',
      'ls --json',
    ]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe('1 + 2 = 3');
    expect(stdout).toContain('"text": "2 + 3 = 5"');
    expect(stdout).toContain('"uri": "demo://about"');
    expect(stdout).toContain('"name": "add"');
  });

  it('call a tool whose name is like a command, whether it was listed by then or not', async () => {
    const create = (): McpServer => {
      const server = new McpServer({ name: 'waits', version: '1' });
      const content = [{ type: 'text' as const, text: 'waited' }];
      server.registerTool('wait', {}, () => ({ content }));
      return server;
    };
    const serving = await serve({ create });
    closing.push(() => serving.close());
    for (const servers of [[serving.url], [url, serving.url]]) {
      const { stdout, stderr } = await shell(['wait', 'wait'], servers);
      expect([stdout, stderr]).toEqual(['waited\nwaited\n', '']);
    }
  });

  it('all run, and the first that fails decides the exit code', async () => {
    const { code, stdout, stderr } = await shell([
      'add a=1',
      'nothing',
      'add a=1 b=1',
      'exit',
      'add a=4 b=4',
    ]);
    expect(code).toBe(2);
    expect(stdout).toBe('1 + 1 = 2\n');
    expect(stderr).toContain('argument `b`');
    expect(stderr).toContain('the server has no tool "nothing"');
  });

  it.each([
    ['tolls', 'there is no command "tolls". Did you mean tools?'],
    ['add a=1 b=2 --header a:b', '--header holds for a whole session'],
    ['add a=1 b=2 --answer a=b', '--answer holds for a whole session'],
    ['add a=1 b=2 --allow-sampling', '--allow-sampling holds for a whole session'],
    ['tools -q', '--quiet holds for a whole session'],
    ['tools --verbose', '--verbose holds for a whole session'],
    ['tools --no-color', '--no-color holds for a whole session'],
    ['tools http://127.0.0.1:1', 'is no server of this session'],
    ['call http://127.0.0.1:1 add a=1', 'is no server of this session: leave it out'],
    ['add a=@- b=1', "stdin is the session's own"],
    ['watch loud', '"loud" is neither on or off'],
    ['unwatch demo://about', 'none is watched'],
    ['trace maybe', 'write trace on or trace off'],
    ['edit', 'edit opens an editor at a terminal only'],
    ['add a=1 b=2 --nope', "unknown option '--nope'"],
  ])('%s: says what is wrong', async (line, message) => {
    const { code, stdout, stderr } = await shell([line]);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('say what went wrong on stdout, too, where a line has --json', async () => {
    const { code, stdout } = await shell(['call nothing --json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'unknown-tool' } });
  });

  it('are traced where that is switched on', async () => {
    const lines = ['add a=1 b=1', 'trace on', 'add a=2 b=2', 'trace off', 'add a=3 b=3'];
    const { code, stdout, stderr } = await shell(lines);
    expect([code, stdout]).toEqual([0, '1 + 1 = 2\n2 + 2 = 4\n3 + 3 = 6\n']);
    expect(stderr.match(/^.*tools\/call.*$/gm)?.join('\n')).toMatch(/^[^]*tools\/call[^]*$/);
    expect(stderr).toContain('"a":2');
    expect(stderr).not.toMatch(/"a":[13]/);
  });

  it('show one tool, and those that match', async () => {
    const { code, stdout } = await shell(['tools echo', "tools 'e*'"]);
    expect(code).toBe(0);
    expect(stdout).toContain('Arguments (* required)');
    expect(stdout).toMatch(/^tool +what it does/m);
  });

  it('print help', async () => {
    const { code, stdout } = await shell(['help', 'help call', 'tools --help']);
    expect(code).toBe(0);
    expect(stdout).toContain('unwatch URI');
    expect(stdout).toContain('Usage: longwire call');
    expect(stdout).toContain('Usage: longwire tools');
    for (const row of stdout.split('\n')) expect(row.length).toBeLessThan(100);
  });
});

describe('several servers', () => {
  const names = (): string[] => [url, other].map((each) => new URL(each).host);

  it('are each asked for lists, and one where it is named', async () => {
    const all = await shell(['tools'], [url, other]);
    expect(all.stdout.split('\n').filter((row) => row.startsWith('add '))).toHaveLength(2);
    for (const name of names()) expect(all.stdout).toContain(`${name}\n`);
    const [name = ''] = names();
    const { stdout } = await shell(
      [`tools ${name}`, `call ${name} add a=1 b=2`, `${name}/add a=2 b=2`],
      [url, other],
    );
    expect(stdout.split('\n').filter((row) => row.startsWith('add '))).toHaveLength(1);
    expect(stdout).toMatch(/\n1 \+ 2 = 3\n2 \+ 2 = 4\n$/);
  });

  it('have to be named where both could be meant', async () => {
    const { code, stderr } = await shell(['add a=1 b=2', 'read demo://about'], [url, other]);
    expect(code).toBe(2);
    expect(stderr).toContain('several servers have a tool "add": write ');
    expect(stderr).toContain(`write the server that is meant: read ${names()[0]} demo://about`);
  });

  it('may lack one, which is said', async () => {
    const { code, stdout, stderr } = await shell(['add a=1 b=2'], [url, 'http://127.0.0.1:1/sse']);
    expect(stderr).toContain('error: 127.0.0.1:1: ');
    expect([code, stdout]).toEqual([0, '1 + 2 = 3\n']);
  });
});

it('has no --json for all of a session', async () => {
  const { code, stderr } = await run(['shell', url, '--json']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--json belongs to a line')]);
});

it('fails where no server can be connected', async () => {
  const { code, stdout } = await run(['shell', 'http://127.0.0.1:1/sse'], { input: 'tools\n' });
  expect([code, stdout]).toEqual([3, '']);
});
