/* oxlint-disable no-control-regex -- control characters are what this file is about */
import { expect, test } from 'vitest';
import { escapeSequences, startHostileSse, type Mischief } from '../support/hostile-sse.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { type CliRun, runCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

expectNothingLeftOpen();

/** What a terminal acts on: every control character but the line feed. */
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
/** What the sequences carry for the terminal alone: a title, and text for the clipboard. */
const payloads = /title|cHduZWQ=/;

/** Nothing is coloured here, so that every control character would be the server's. */
function expectSafe({ stdout, stderr }: CliRun): void {
  expect(stdout + stderr).not.toMatch(controls);
  expect(stdout + stderr).not.toMatch(payloads);
}

interface Shown {
  name: string;
  args: string[];
  mischief?: Mischief;
  code?: number;
  /** What is shown of the text: all but the sequences. */
  shows: RegExp;
}

const ghost = { tools: [{ name: 'ghost', inputSchema: { type: 'object' } }] };

const cases: Shown[] = [
  {
    name: 'the name of a server',
    args: ['inspect'],
    shows: /^server +hostile 1\.0\.0$/m,
  },
  {
    name: 'the description of a tool',
    args: ['tools'],
    shows: /^echo +Returns the message\. +message\*: string$/m,
  },
  {
    name: 'the name of a tool and of its argument',
    args: ['tools'],
    mischief: {
      answer: ({ method }) => {
        const name = `bad${escapeSequences}name`;
        const inputSchema = { type: 'object', properties: { [name]: { type: 'string' } } };
        return method === 'tools/list' ? { tools: [{ name, inputSchema }] } : undefined;
      },
    },
    shows: /^badname +badname: string$/m,
  },
  {
    name: 'the text of a result',
    args: ['call', 'echo', 'message=hi'],
    shows: /^hi$/m,
  },
  {
    name: 'the text of an error of a tool',
    args: ['call', 'fail'],
    code: 1,
    shows: /^it failed$/m,
  },
  {
    name: 'the message of a progress report',
    args: ['call', 'slow', 'ms=50', '--verbose'],
    shows: /^slow: 10\/10 step 10$/m,
  },
  {
    name: 'the message of a JSON-RPC error',
    args: ['call', 'ghost'],
    mischief: { answer: ({ method }) => (method === 'tools/list' ? ghost : undefined) },
    code: 1,
    shows: /^error: .*no tool ghost/m,
  },
  {
    name: 'the body of an HTTP error',
    args: ['call', 'echo', 'message=hi', '--verbose'],
    mischief: { postFaults: [{ tool: 'echo', status: 500, body: `${escapeSequences}broken` }] },
    code: 6,
    shows: /^error: .*500: broken/m,
  },
  {
    name: 'an endpoint that is no URL',
    args: ['tools', '--verbose'],
    mischief: { endpoint: `http://[${'\u009b2J'}oops` },
    code: 3,
    shows: /^error: .*endpoint/m,
  },
];

test.for(cases)('$name', async ({ args, mischief = {}, code = 0, shows }) => {
  await using server = await startHostileSse({ ...mischief, escapeSequences: true });
  const run = await runCli(args, { env: { MCP_SERVER_URL: server.url } });
  expect(run.code).toBe(code);
  expect(run.stdout + run.stderr).toMatch(shows);
  expectSafe(run);
});

test('what a watched server sends by itself', async () => {
  await using server = await startHostileSse({ escapeSequences: true });
  const running = runCli(['watch', server.url], { interruptOn: /the end/ });
  await until(() => expect(server.messagesOf('notifications/initialized')).toHaveLength(1));
  const log = (data: string): void => {
    const params = { level: 'info', data: `${escapeSequences}${data}` };
    server.push({ jsonrpc: '2.0', method: 'notifications/message', params });
  };
  log('tea is ready');
  log('the end');
  const run = await running;
  expect(run.code).toBe(130);
  expect(run.stdout).toMatch(/log info: tea is ready$/m);
  expectSafe(run);
});

test('in JSON they are escaped, and the value is the same', async () => {
  await using server = await startHostileSse({ escapeSequences: true });
  const run = await runCli(['call', server.url, 'echo', 'message=hi', '--json']);
  expect(run.code).toBe(0);
  expect(run.stdout).not.toMatch(controls);
  expect(JSON.parse(run.stdout)).toEqual({
    content: [{ type: 'text', text: `${escapeSequences}hi` }],
  });
});
