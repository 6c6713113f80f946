import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseRecording, Picture } from '@longwire/recording';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHostileSse } from '../../../../test/support/hostile-sse.ts';
import { removeFolder } from '../../../../test/support/remove-folder.ts';
import { startStreamable } from '../../../../test/support/streamable-fixture.ts';
import { startToolEventsServer } from '../../../../test/support/tool-events-servers.ts';
import { main } from '../../src/main.ts';
import { run } from '../run.ts';

const chatty = [
  '--',
  process.execPath,
  fileURLToPath(new URL('../../../../test/support/stdio-servers/chatty.mjs', import.meta.url)),
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longwire-trace-'));
});
afterAll(() => removeFolder(folder));

/** The lines of a trace without their times. */
const traced = (stderr: string): string[] =>
  stderr.split('\n').flatMap((line) => /^ *\d+\.\d{3} (.*)$/.exec(line)?.[1] ?? []);

const servers = {
  'HTTP+SSE': async () => {
    const server = await startHostileSse();
    return { server, args: [server.url], http: /^↓ 20\d, .*: POST http/ };
  },
  'Streamable HTTP': async () => {
    const server = await startStreamable({});
    return { server, args: [server.url], http: /^↓ 200 text\/event-stream, .*: POST http/ };
  },
  '2026-07-28': async () => {
    const server = await startStreamable({ era: 'modern', answers: 'json' });
    return { server, args: [server.url], http: /^↓ 200 application\/json, .* sent, .*: POST http/ };
  },
  'tool-events': async () => {
    const server = await startToolEventsServer({ kind: 'answers-in-body' });
    const args = [server.url, '--header', `api_key: ${server.apiKey}`];
    return { server, args, http: /^↓ 200.*: POST http/ };
  },
};

describe.each(Object.entries(servers))('of a server of %s', (_name, start) => {
  it('--trace shows the call, its answer and the exchange, and the result is alone on stdout', async () => {
    const { server, args, http } = await start();
    await using _ = server;
    const { code, stdout, stderr } = await run([
      'call',
      '--trace',
      ...args,
      'echo',
      'message=seen',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ content: [{ text: 'seen' }] });
    const lines = traced(stderr);
    expect(lines).toContainEqual(expect.stringMatching(/^→ tools\/call #\d+, \d+ B$/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^← result of tools\/call #\d+, \d+ B, \d+ ms$/),
    );
    expect(lines).toContainEqual(expect.stringMatching(http));
    expect(stderr).toMatch(/^ {8}\{.*"message":"seen"/m);
    // What -v says of a request is in the trace.
    expect(stderr).not.toMatch(/^ {2}POST /m);
  });

  it('--trace=FILE records what passed, and the call as it is shown again', async () => {
    const { server, args } = await start();
    await using _ = server;
    const file = join(folder, `${_name.replaceAll(/\W/g, '')}.ndjson`);
    const { code, stderr } = await run([
      'call',
      ...args,
      'echo',
      'message=seen',
      `--trace=${file}`,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { lines, skipped } = parseRecording(await readFile(file, 'utf8'));
    expect(skipped).toEqual({ unknown: 0, broken: 0, tooLarge: 0 });
    const sent = lines.find((line) => line.type === 'message' && line.method === 'tools/call');
    expect(sent).toMatchObject({ direction: 'sent', body: { arguments: { message: 'seen' } } });
    const id = sent?.type === 'message' ? sent.id : undefined;
    expect(lines).toContainEqual(
      expect.objectContaining({ type: 'message', direction: 'received', id }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ type: 'exchange', phase: 'ended', status: expect.any(Number), id }),
    );
    const picture = new Picture();
    for (const line of lines) picture.apply(line);
    expect(picture.ended.at(-1)).toMatchObject({
      name: 'echo',
      arguments: { message: 'seen' },
      end: { outcome: 'result', result: { content: [{ text: 'seen' }] } },
    });
  });
});

it('--trace=FILE has no control character of a server, and the same values', async () => {
  await using server = await startStreamable({});
  const file = join(folder, 'controls.ndjson');
  const message = 'a\u009b2Jb\u202ec\u007f';
  const words = ['call', server.url, 'echo', `message=${message}`, `--trace=${file}`];
  expect((await run(words)).code).toBe(0);
  const text = await readFile(file, 'utf8');
  expect(text).not.toMatch(/[\u007f-\u009f\u202a-\u202e]/);
  const called = expect.objectContaining({ type: 'call', arguments: { message } });
  expect(parseRecording(text).lines).toContainEqual(called);
});

describe('of a process', () => {
  it('-v shows each line of its stderr, and --trace also that it began and ended', async () => {
    const plain = await run(['call', 'log', ...chatty]);
    expect(plain.stderr).not.toContain('reading');
    const verbose = await run(['call', 'log', '-v', ...chatty]);
    expect(verbose.stderr).toContain('server| reading the configuration, token=***\n');
    expect(verbose.stderr).not.toContain('\u001b');
    const { stderr } = await run(['call', 'log', '--trace', ...chatty]);
    expect(stderr).toContain('server| reading the configuration, token=***\n');
    expect(traced(stderr)[0]).toMatch(/^\* process \d+ started: .*chatty\.mjs$/);
    expect(traced(stderr).at(-1)).toMatch(/^\* process \d+ exited with code 0$/);
  });

  it('a line on its stdout that is no message is a remark, once, and none with --quiet', async () => {
    const remark =
      'server wrote to its stdout what is no message (“chatty 1.0 is ready”): a server logs to its stderr.\n';
    const plain = await run(['call', 'stray', ...chatty]);
    expect(plain).toEqual({ code: 0, stdout: 'did stray\n', stderr: remark });
    expect((await run(['call', 'stray', '--quiet', ...chatty])).stderr).toBe('');
    const { stderr } = await run(['call', 'stray', '-v', ...chatty]);
    expect(stderr.split(remark)).toHaveLength(2);
    expect(stderr).toContain('server (stdout)| one more stray line\n');
    expect(stderr).not.toContain('not a JSON-RPC message');
  });

  it('its last words are told with the error, or before it, and never twice', async () => {
    const plain = await run(['call', 'die', '--quiet', ...chatty]);
    expect(plain).toMatchObject({ code: 6, stderr: expect.stringContaining('last words') });
    const { stderr } = await run(['call', 'die', '-v', ...chatty]);
    expect(stderr.split('out of tea')).toHaveLength(2);
    expect(stderr).toContain('server| out of tea\n');
  });

  it('a flood on its stderr is left out and counted, and the call ends', async () => {
    const { code, stdout, stderr } = await run(['call', 'flood', '-v', ...chatty]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'did flood\n' });
    expect(stderr).toMatch(/server\| \(\d+ lines left out, which came too fast\)/);
    expect(stderr).toContain('server| line 49999\n');
    expect(stderr.split('\n').length).toBeLessThan(5000);
  });

  it('its logs are shown while a call runs: from info up, with -v all, with --quiet none', async () => {
    const { stderr, stdout } = await run(['call', 'log', ...chatty]);
    expect(stdout).toBe('did log\n');
    expect(stderr.split('\n').slice(1, -1)).toEqual([
      'info chatty: this is info',
      'warning chatty: this is warning',
      'error chatty: this is error',
    ]);
    const verbose = await run(['call', 'log', '-v', ...chatty]);
    expect(verbose.stderr).toContain('server| level debug\n');
    expect(verbose.stderr).toContain('debug chatty: this is debug\n');
    expect((await run(['call', 'log', '--quiet', ...chatty])).stderr).toBe('');
  });

  it('a server that never answers a request for logs is called all the same', async () => {
    const silent = ['--env', 'NO_LEVEL=1', ...chatty];
    const { code, stdout, stderr } = await run(['call', 'log', '-v', ...silent]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'did log\n' });
    expect(stderr).toContain('server| level debug\n');
  });

  it('watch shows what it writes as events, with --json, too', async () => {
    const watched = async (...flags: string[]): Promise<string> => {
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
      let interrupt = (): void => {};
      let text = '';
      stdout.on('data', (chunk) => {
        text += String(chunk);
        if (text.includes('reading')) interrupt();
      });
      const args = ['watch', ...flags, ...chatty];
      const onInterrupt = (listener: () => void): void => void (interrupt = listener);
      await main({ args, env: {}, stdin, stdout, stderr, cwd: folder, onInterrupt });
      return text;
    };
    const [text, json] = await Promise.all([watched(), watched('--json')]);
    expect(text).toMatch(/^\S+Z server\| reading the configuration, token=\*\*\*$/m);
    const events = json
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(events).toContainEqual({
      time: expect.any(String),
      event: 'output',
      from: 'stderr',
      line: 'reading the configuration, token=***',
    });
  });
});

describe('--trace on the command line', () => {
  it('does not take the next word for its file, wherever it stands', async () => {
    await using server = await startStreamable({});
    for (const args of [
      ['--trace', 'tools', server.url],
      ['tools', '--trace', server.url],
      ['tools', server.url, '--trace'],
    ]) {
      const { code, stdout, stderr } = await run(args);
      expect(code, stderr).toBe(0);
      expect(stdout).toContain('echo');
      expect(traced(stderr).join('\n')).toContain('→ tools/list');
    }
  });

  it('replaces no file, and says so before anything is sent', async () => {
    await using server = await startStreamable({});
    const file = join(folder, 'there.ndjson');
    await writeFile(file, 'mine');
    const { code, stdout, stderr } = await run(['tools', server.url, `--trace=${file}`, '--json']);
    expect(code).toBe(2);
    expect(stderr).toContain('it is there already: name another file, or remove it');
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'invalid-arguments' } });
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['', 'it is a directory'],
    ['/missing/t.ndjson', 'there is no such directory'],
  ])('says of a file that cannot be made what it is: "%s"', async (name, why) => {
    const { code, stderr } = await run(['tools', `--trace=${folder}${name}`, ...chatty]);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^error: --trace ".*" cannot be written: ${why}\\n$`));
  });

  it('with - it is shown, and a pipe is written to though it is there', async () => {
    const { stderr } = await run(['tools', '--trace=-', ...chatty]);
    expect(traced(stderr).join('\n')).toContain('→ tools/list');
    expect(await run(['tools', '--quiet', '--trace=/dev/null', ...chatty])).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  it('a dead port is a line of the trace, and the error is said once', async () => {
    const { code, stderr } = await run(['tools', 'http://127.0.0.1:9/mcp', '--trace']);
    expect(code).toBe(3);
    expect(traced(stderr)[0]).toMatch(
      /^↓ no answer, \d+ ms, \d+ B sent: POST http:\/\/127\.0\.0\.1:9\/mcp: /,
    );
    expect(stderr.match(/^error: /gm)).toHaveLength(1);
  });
});
