import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { main } from '../src/main.ts';
import { listen, listenMcp, untilTheEndOfEachTest, type FakeServer } from './fake-servers.ts';
import { run } from './run.ts';

const started = untilTheEndOfEachTest();

const echo = {
  name: 'echo',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
};

describe('help', () => {
  it('of a command is its help', async () => {
    expect(await run(['help', 'call'])).toEqual(await run(['call', '--help']));
  });
});

describe('output that cannot be written', () => {
  it.each([
    ['ENOSPC', 1, /could not be written: no room/],
    ['EPIPE', 0, /^$/],
  ])('%s: %d', async (code, exitCode, message) => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('no room'), { code })),
    });
    const stderr = new PassThrough();
    const options = { env: {}, stdin: new PassThrough(), stdout, stderr, cwd: import.meta.dirname };
    expect(await main({ args: ['--help'], ...options })).toBe(exitCode);
    expect(String(stderr.read() ?? '')).toMatch(message);
  });
});

describe('output that nothing was written to', () => {
  it('does not hide what failed', async () => {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error('no room')) });
    const options = { env: {}, stdin: new PassThrough(), stdout, cwd: import.meta.dirname };
    expect(await main({ args: ['bogus'], ...options, stderr: new PassThrough() })).toBe(2);
  });
});

describe('a 401', () => {
  const refusing = (): Promise<FakeServer> =>
    started(listen((_request, response) => response.writeHead(401).end()));

  it('without a key says how to give one', async () => {
    const { url } = await refusing();
    const { code, stderr } = await run(['tools', `${url}/sse`]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/set MCP_SERVER_URL and MCP_API_KEY/);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  it('says whether the key was sent', async () => {
    const { url } = await refusing();
    const own = { MCP_SERVER_URL: `${url}/sse`, MCP_API_KEY: 'some-key' };
    expect((await run(['tools'], { env: own })).stderr).toMatch(/MCP_API_KEY was sent/);
    const other = { ...own, MCP_SERVER_URL: 'http://127.0.0.1:9/sse' };
    const { stderr } = await run(['tools', `${url}/sse`], { env: other });
    expect(stderr).toMatch(/MCP_API_KEY was not sent/);
  });
});

describe('a call', () => {
  it('that is answered 500 is named, and not to be repeated blindly: 6', async () => {
    const onCall = (response: { writeHead: (status: number) => { end(text: string): void } }) =>
      response.writeHead(500).end('boom');
    const { url } = await started(listenMcp({ tool: echo, onCall }));
    const { code, stderr } = await run(['call', `${url}/sse`, 'echo', 'message=x']);
    expect(code).toBe(6);
    expect(stderr).toMatch(/the call of echo failed: .*500: boom; .*check on the server before/);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  it('with an argument that looks like a misspelt one is refused before it is sent: 2', async () => {
    const called: unknown[] = [];
    const result = (args: unknown) => {
      if (args !== undefined) called.push(args);
      return { content: [{ type: 'text', text: 'done' }] };
    };
    const { url } = await started(listenMcp({ tool: echo, result }));
    const { code, stdout, stderr } = await run(['call', `${url}/sse`, 'echo', 'mesage=x']);
    expect({ code, stdout, called }).toEqual({ code: 2, stdout: '', called: [] });
    expect(stderr).toBe(
      'error: the tool names no argument `mesage`. Did you mean message? To send it all the same: --loose\n',
    );
    const loose = await run(['call', `${url}/sse`, 'echo', 'mesage=x', '--loose']);
    expect(loose).toMatchObject({
      code: 0,
      stdout: 'done\n',
      stderr: 'The tool names no argument `mesage`. Did you mean message?\n',
    });
    expect(called).toEqual([{ mesage: 'x' }]);
  });

  it('with an argument that is near none is made, with a remark', async () => {
    const { url } = await started(listenMcp({ tool: echo }));
    const { code, stderr } = await run(['call', `${url}/sse`, 'echo', 'urgency=1']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'The tool names no argument `urgency`.\n',
    });
  });

  it('ends in spite of a server that sends what is slow to clean', async () => {
    const texts = ['\u0090'.repeat(1_000_000), 'a'.repeat(1_000_000), 'a://'.repeat(250_000)];
    const content = texts.map((text) => ({ type: 'text', text }));
    const { url } = await started(listenMcp({ tool: echo, result: () => ({ content }) }));
    expect((await run(['call', `${url}/sse`, 'echo'])).code).toBe(0);
  });
});

describe('watch', () => {
  it('tells once that it could not connect: 3', async () => {
    const { code, stdout, stderr } = await run(['watch', 'http://127.0.0.1:9/sse']);
    expect(code).toBe(3);
    expect(stderr.trimEnd()).toMatch(/^error: .*ECONNREFUSED.*$/);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z connecting\n$/);
  });

  it('prints the events of a tool-events server', async () => {
    const { url } = await started(
      listen((request, response) => {
        if (request.method !== 'GET') return void response.writeHead(404).end();
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(
          'event: endpoint\ndata: /messages?session_id=0123456789\n\nevent: tools\ndata: []\n\n',
        );
        setTimeout(() => response.write('event: price\ndata: {"AAPL":1}\n\n'), 800);
      }),
    );
    const args = ['watch', `${url}/sse`, '--transport', 'tool-events'];
    const { code, stdout } = await run(args, {
      onInterrupt: (interrupt) => setTimeout(interrupt, 1200),
    });
    expect(code).toBe(130);
    expect(stdout).toContain('event price: {"AAPL":1}');
  });
});
