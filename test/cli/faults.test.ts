import { describe, expect, test } from 'vitest';
import { startHttpFixture } from '../support/http-fixture.ts';
import { startHostileSse, type HostileSseServer, type Mischief } from '../support/hostile-sse.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { apiKey, complaintOf, expectSecretsKept, runWithKey } from './support/keyed-run.ts';

expectNothingLeftOpen();

/** Something that goes wrong, and what the command makes of it. */
interface Fault {
  name: string;
  mischief: Mischief;
  args: string[];
  code: number;
  /** What happened, as the message says it. */
  says: RegExp;
  /** What to do about it, as the message says it. */
  advises?: RegExp;
}

const echo = ['call', 'echo', 'message=hi'];
/** A body that gives away what the server was sent. */
const body = `the database said no to ${apiKey}`;
const bodyShown = 'the database said no to \\*\\*\\*';

const faults: Fault[] = [
  {
    name: '401',
    mischief: { getAnswer: { status: 401, body } },
    args: ['tools'],
    code: 4,
    says: new RegExp(`401: ${bodyShown}`),
    advises: /MCP_API_KEY.*--header/,
  },
  {
    name: '403',
    mischief: { getAnswer: { status: 403, body } },
    args: ['tools'],
    code: 4,
    says: new RegExp(`403: ${bodyShown}`),
    advises: /credentials/,
  },
  {
    name: 'a call answered 401',
    mischief: { postFaults: [{ tool: 'echo', status: 401, body }] },
    args: echo,
    code: 4,
    says: new RegExp(`401: ${bodyShown}`),
    advises: /MCP_API_KEY.*--header/,
  },
  {
    name: 'no server of this kind',
    mischief: { getAnswer: { status: 200, headers: { 'content-type': 'text/html' }, body } },
    args: ['tools'],
    code: 3,
    says: /is a web page, not an MCP server/,
    advises: /the server may be at http/,
  },
  {
    name: 'no endpoint event',
    mischief: { endpoint: 'never' },
    args: ['tools', '--timeout', '1s'],
    code: 3,
    says: /no MCP server answered/,
    advises: /check the address|is this the address|--timeout/i,
  },
  {
    name: 'an endpoint of another origin',
    mischief: { endpoint: 'other-origin' },
    args: echo,
    code: 3,
    says: /an endpoint of another origin \(http:\/\/127\.0\.0\.1:\d+\/\S+\).*nothing was sent there/,
    advises: /connect to that address/i,
  },
  {
    name: 'a redirect of the stream to another origin',
    mischief: { redirect: { method: 'GET', status: 307, to: 'other-origin' } },
    args: echo,
    code: 3,
    says: /redirects \(307\) to another origin, http:\/\/127\.0\.0\.1:\d+\/\S+, which is never followed/,
    advises: /connect to that address/i,
  },
  {
    name: 'a redirect of a POST to another origin',
    mischief: { redirect: { method: 'POST', status: 308, to: 'other-origin' } },
    args: echo,
    code: 3,
    says: /redirects \(308\) to another origin/,
    advises: /connect to that address/i,
  },
  {
    name: 'a call answered 500',
    mischief: { postFaults: [{ tool: 'echo', status: 500, body }] },
    args: echo,
    code: 6,
    says: new RegExp(`500: ${bodyShown}`),
    advises: /whether it ran is not known|may have run|again|server's log/i,
  },
  {
    name: 'a call answered 400',
    mischief: { postFaults: [{ tool: 'echo', status: 400, body }] },
    args: echo,
    code: 1,
    says: new RegExp(`400: ${bodyShown}`),
  },
  {
    name: 'the stream dropped in the middle of a call',
    mischief: { cutOnCall: true },
    args: echo,
    code: 6,
    says: /connection was lost during the call of echo/,
    advises: /whether it ran is not known/,
  },
  {
    name: 'an event over the limit',
    mischief: { hugeEventBytes: 65 * 1024 * 1024 },
    args: echo,
    code: 6,
    says: /an event of the stream is larger than 67108864 bytes/,
    advises: /whether it ran is not known/,
  },
  {
    name: 'a call that is not answered',
    mischief: { hangOnCall: true },
    args: [...echo, '--timeout', '2s'],
    code: 5,
    says: /the call of echo had no answer and no progress for 2000 ms/,
    advises: /longer --timeout/,
  },
  {
    name: 'a call that is over its deadline, progress or not',
    mischief: {},
    args: ['call', 'slow', 'ms=11000', '--deadline', '2s'],
    code: 5,
    says: /the call of slow did not end by its deadline/,
    advises: /longer --deadline/,
  },
];

/** Wrong usage, which only the command sees. */
const usage: [args: string[], says: RegExp][] = [
  [['call', 'ecoh', 'message=hi'], /no tool "ecoh".*Did you mean echo\?/],
  [['call', 'nothing_like_it'], /no tool "nothing_like_it".*`longwire tools` lists them/],
  [['call', 'echo'], /`message` \(string\) is missing: write message=… after the tool/],
  [['call', 'echo', '--args', '{"message":'], /--args is not valid JSON/],
  [['call', 'echo', 'message:={'], /`message` is not valid JSON/],
  [['call', 'echo', '--args', '["hi"]'], /--args wants a JSON object, such as/],
  [['call', 'add', 'a=1', 'b=two'], /`b` must be a number; "two" is not/],
  [['call', 'add', '--args', '{"a":1,"b":"2"}'], /`b` must be number/],
  [['call', 'echo', 'message=@nothing.txt'], /cannot read nothing\.txt: there is no such file/],
];

/** The library's names of what the command line calls otherwise, or does not have. */
const libraryOptions = /timeouts\.|limits\.|retry\.|deadlineMs|timeoutMs|connectMs/;

/** Asserts that what was cancelled is the one call that was made. */
async function expectCancelled(server: HostileSseServer): Promise<void> {
  const [call, ...others] = server.messagesOf('tools/call');
  expect(others).toEqual([]);
  expect(call?.id).toBeDefined();
  await until(() =>
    expect(server.messagesOf('notifications/cancelled').map(({ params }) => params)).toEqual([
      expect.objectContaining({ requestId: call?.id }),
    ]),
  );
}

describe.for([
  { mode: 'plainly', verbose: false, flags: [] },
  { mode: 'with --verbose', verbose: true, flags: ['--verbose'] },
])('$mode', ({ verbose, flags }) => {
  test.for(faults)('$name: $code', async ({ mischief, args, code, says, advises }) => {
    await using server = await startHostileSse(structuredClone(mischief));
    const run = await runWithKey(server, [...args, ...flags]);
    expect([run.code, run.stdout]).toEqual([code, '']);
    const complaint = complaintOf(run, { verbose });
    expect(complaint).toMatch(says);
    if (code === 5) await expectCancelled(server);
    await until(() => expect(server.openStreams()).toBe(0));
    if (verbose) return;
    if (advises !== undefined) expect(complaint, 'what to do').toMatch(advises);
    expect(complaint, 'in words of the command line').not.toMatch(libraryOptions);
  });

  test('nothing listens: 3', async () => {
    const gone = await startHttpFixture(() => {});
    await gone.close();
    const env = { MCP_SERVER_URL: `${gone.origin}/sse`, MCP_API_KEY: apiKey };
    const run = await runCli(['tools', ...flags], { env });
    expect([run.code, run.stdout]).toEqual([3, '']);
    const complaint = complaintOf(run, { verbose });
    expect(complaint).toMatch(/nothing listens there/);
    expect(run.stderr).not.toContain(apiKey);
    if (verbose) return;
    expect(complaint, 'what to do').toMatch(/running|start|check the target/i);
  });

  test('Ctrl-C during a call: 130, and the server is told', async () => {
    await using server = await startHostileSse();
    const env = { MCP_SERVER_URL: server.url, MCP_API_KEY: apiKey };
    await using command = await startCli(['call', 'hang', ...flags], { env });
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    command.kill('SIGINT');
    const run = await command.done;
    expect([run.code, run.stdout]).toEqual([130, '']);
    expect(run.stderr).toContain('Interrupted.');
    if (!verbose) expect(run.stderr).toBe('Interrupted.\n');
    expectSecretsKept(server, run);
    await expectCancelled(server);
    await until(() => expect(server.openStreams()).toBe(0));
  });

  test('a tool that reports an error: 1, its words on stdout', async () => {
    await using server = await startHostileSse();
    const run = await runWithKey(server, ['call', 'fail', ...flags]);
    expect([run.code, run.stdout]).toEqual([1, 'it failed\n']);
    expect(run.stderr).toContain('The tool fail reported an error.');
    if (!verbose) expect(run.stderr.split('\n')).toHaveLength(2);
  });

  test('a server that answers with an error: 1', async () => {
    const ghost = { tools: [{ name: 'ghost', inputSchema: { type: 'object' } }] };
    await using server = await startHostileSse({
      answer: ({ method }) => (method === 'tools/list' ? ghost : undefined),
    });
    const run = await runWithKey(server, ['call', 'ghost', ...flags]);
    expect([run.code, run.stdout]).toEqual([1, '']);
    expect(complaintOf(run, { verbose })).toMatch(/the call of ghost.*no tool ghost/);
  });
});

test.for(usage)('%j: 2, and nothing is called', async ([args, says]) => {
  await using server = await startHostileSse();
  const run = await runWithKey(server, args);
  expect([run.code, run.stdout]).toEqual([2, '']);
  expect(complaintOf(run)).toMatch(says);
  expect(server.messagesOf('tools/call')).toEqual([]);
  await until(() => expect(server.openStreams()).toBe(0));
});

test('with --json, a failure is told on stdout, too, and an error of a tool is the result', async () => {
  await using server = await startHostileSse({
    postFaults: [{ tool: 'echo', status: 500, body }],
  });
  const failed = await runWithKey(server, [...echo, '--json']);
  expect(failed.code).toBe(6);
  expect(JSON.parse(failed.stdout)).toMatchObject({
    error: { code: 'http-status', certainty: 'outcome-unknown' },
  });
  const reported = await runWithKey(server, ['call', 'fail', '--json']);
  expect(reported.code).toBe(1);
  expect(JSON.parse(reported.stdout)).toEqual({
    content: [{ type: 'text', text: 'it failed' }],
    isError: true,
  });
});

test('an event within the limit comes out whole, however large', async () => {
  const hugeEventBytes = 50 * 1024 * 1024;
  await using server = await startHostileSse({ hugeEventBytes });
  const run = await runWithKey(server, echo);
  expect([run.code, run.stderr]).toEqual([0, '']);
  expect(run.stdout.length).toBe(hugeEventBytes + 1);
});

test('progress keeps a call alive that takes longer than its --timeout', async () => {
  await using server = await startHostileSse();
  const run = await runWithKey(server, ['call', 'slow', 'ms=3300', '--timeout', '2s']);
  expect([run.code, run.stdout]).toEqual([0, 'done\n']);
});

test('Ctrl-C while it connects: 130', async () => {
  await using server = await startHostileSse({ endpoint: 'never' });
  const env = { MCP_SERVER_URL: server.url, MCP_API_KEY: apiKey };
  await using command = await startCli(['tools'], { env });
  await until(() => expect(server.openStreams()).toBe(1));
  command.kill('SIGINT');
  const run = await command.done;
  expect(run).toMatchObject({ code: 130, stdout: '', stderr: 'Interrupted.\n' });
  await until(() => expect(server.openConnections()).toBe(0));
});
