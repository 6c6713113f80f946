import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type Serving } from '@longwire/server';
import { createHeader } from '@longwire/recording';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { run, type Run } from '../run.ts';

let serving: Serving;
let url: string;
let cwd: string;
beforeAll(async () => {
  serving = await serve({ create: () => createDemoServer() });
  url = serving.sseUrl;
});
afterAll(async () => {
  await serving.close();
});
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-check-'));
});
afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

const echo = (message: string, expect?: object): object => ({
  server: url,
  tool: 'echo',
  arguments: { message },
  ...(expect && { expect }),
});

async function check(checks: readonly object[], ...args: string[]): Promise<Run> {
  await writeFile(join(cwd, 'c.json'), JSON.stringify({ checks }));
  return await run(['check', 'c.json', ...args], { cwd });
}

async function configure(servers: object): Promise<void> {
  await writeFile(join(cwd, 'longwire.json'), JSON.stringify({ servers }));
}

describe('longwire check', () => {
  it('runs every check in its order, and ends with 0 if all hold', async () => {
    const forecast = {
      server: url,
      tool: 'forecast',
      arguments: { city: 'Lisbon', days: 1 },
      expect: { has: { city: 'Lisbon', days: [{ day: 1 }] } },
    };
    const fail = { server: url, tool: 'fail', expect: { error: true, contains: 'always fails' } };
    const { code, stdout, stderr } = await check([echo('hi'), forecast, fail], '--yes');
    expect([code, stderr]).toEqual([0, '3 held.\n']);
    expect(stdout.split('\n').map((line) => line.replace(/\d+ ms$/, '… ms'))).toEqual([
      `held      ${url} echo {"message":"hi"}  … ms`,
      `held      ${url} forecast {"city":"Lisbon","days":1}  … ms`,
      `held      ${url} fail  … ms`,
      '',
    ]);
  });

  it('says what differs and what failed; the first of them decides the exit code', async () => {
    const gone = { server: 'http://127.0.0.1:9/sse', tool: 'echo' };
    const checks = [
      echo('hi', { contains: 'ho' }),
      echo('\u001b[31m', { equals: 1 }),
      { server: url, tool: 'forecst' },
      gone,
    ];
    const { code, stdout, stderr } = await check(checks, '--yes');
    expect([code, stderr]).toEqual([1, '0 held, 3 not held, 1 failed.\n']);
    expect(stdout).toContain('          its text is "hi", without "ho"\n');
    expect(stdout).toContain('          it has no structured result\n');
    expect(stdout).toContain('          the server has no such tool. Did you mean forecast?\n');
    expect(stdout).toMatch(/^failed {4}http:\/\/127\.0\.0\.1:9\/sse echo\n {10}\S/m);
    expect(stdout).not.toContain('\u001b');
    expect((await check([gone, echo('hi')], '--yes')).code).toBe(3);
  });

  it('prints one document with --json', async () => {
    const expected = echo('hi', { contains: 'ho' });
    const gone = { server: 'http://127.0.0.1:9/sse', tool: 'echo' };
    const { code, stdout } = await check([echo('hi'), expected, gone], '--yes', '--json');
    expect(code).toBe(1);
    const durationMs = expect.any(Number) as number;
    expect(JSON.parse(stdout)).toEqual({
      held: 1,
      notHeld: 1,
      failed: 1,
      checks: [
        { ...echo('hi'), outcome: 'held', durationMs },
        {
          ...expected,
          outcome: 'not-held',
          durationMs,
          differences: ['its text is "hi", without "ho"'],
        },
        {
          ...gone,
          outcome: 'failed',
          error: expect.objectContaining({ code: 'connect-failed', certainty: 'not-sent' }),
        },
      ],
    });
  });

  it('calls nothing that may change things where nobody says yes', async () => {
    const { code, stdout, stderr } = await check([echo('a'), echo('b')]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('2 of the calls may change things, as that of "echo"');
    expect(stderr).toContain('nothing was called; --yes runs all');
    await configure({ demo: { url, trusted: true } });
    const trusted = { server: 'demo', tool: 'echo', arguments: { message: 'a' } };
    expect((await check([trusted])).code).toBe(0);
    const changing = { server: 'demo', tool: 'long_task', arguments: { steps: 1, stepMs: 0 } };
    expect((await check([trusted, changing])).stderr).toContain('the call of "long_task" may');
  });

  it('runs on a target of the command line instead of the server of the file', async () => {
    const away = { ...echo('hi'), server: 'staging' };
    expect(await check([away, away], url, '--yes')).toMatchObject({ code: 0 });
    const two = await check([away, echo('hi')], url, '--yes');
    expect(two).toMatchObject({ code: 2, stdout: '' });
    expect(two.stderr).toContain('the checks are about 2 servers (staging, http');
  });

  it.each(['127.0.0.1:3001', 'npx'])('asks for the server of a recording of %s', async (server) => {
    const { code, stderr } = await check([{ server, tool: 'echo', arguments: {} }]);
    expect(code).toBe(2);
    expect(stderr).toContain(`calls its server "${server}", and does not say where it is: write`);
  });

  it('runs a recording again, as it was answered', async () => {
    const at = Date.now();
    const line = (call: number, message: string, text: string): object[] => {
      const of = { at, server: 'demo', call };
      const result = { content: [{ type: 'text', text }] };
      return [
        { ...of, type: 'call', method: 'tools/call', name: 'echo', arguments: { message } },
        { ...of, type: 'end', outcome: 'result', durationMs: 1, result },
      ];
    };
    const lines = [createHeader('test'), ...line(1, 'a', 'a'), ...line(2, 'b', 'was b')];
    const begun = { ...line(3, 'c', 'c')[0] };
    await writeFile(
      join(cwd, 'r.ndjson'),
      [...lines, begun].map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    const { code, stdout, stderr } = await run(['check', 'r.ndjson', url, '--yes'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^held {6}demo echo \{"message":"a"\}/m);
    expect(stdout).toMatch(/^not held {2}demo echo \{"message":"b"\}.*\n.*"b", without "was b"/m);
    expect(stderr).toContain('not kept as a whole: 1.');
  });

  it('refuses what it cannot run, before anything is sent', async () => {
    await writeFile(join(cwd, 'no.json'), '{"checks": [');
    await writeFile(join(cwd, 'no.ndjson'), 'hello\n');
    const refused: [string, Run][] = [
      ['no.json cannot be used', await run(['check', 'no.json'], { cwd })],
      [
        'gone.json cannot be used: there is no such file',
        await run(['check', 'gone.json'], { cwd }),
      ],
      [
        'gone.ndjson cannot be used: there is no such file',
        await run(['check', 'gone.ndjson'], { cwd }),
      ],
      ['no.ndjson cannot be used: not a recording', await run(['check', 'no.ndjson'], { cwd })],
      ['c.json has no checks', await check([])],
      ['checks[0] has a member "tol"', await check([{ server: url, tol: 'echo' }])],
      ['@all is none', await check([{ server: '@all', tool: 'echo' }])],
      ['is not a server', await check([{ server: 'nowhere', tool: 'echo' }])],
    ];
    for (const [why, { code, stdout, stderr }] of refused) {
      expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(why)]);
    }
  });
});
