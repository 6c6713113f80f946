import { expect, test } from 'vitest';
import { type HostileSseServer, startHostileSse } from '../support/hostile-sse.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { runCli } from '../support/run-cli.ts';
import { apiKey, runWithKey } from './support/keyed-run.ts';

expectNothingLeftOpen();

/** Everything that reached a server, as text. */
function allOf({ requests }: HostileSseServer): string {
  return JSON.stringify(requests);
}

test('goes to a server as a bearer token, and in no address and no body', async () => {
  await using server = await startHostileSse();
  const run = await runWithKey(server, ['call', 'echo', 'message=hi']);
  expect([run.code, run.stdout]).toEqual([0, 'hi\n']);
  const posts = server.requests.filter(({ method }) => method === 'POST');
  expect(posts.length).toBeGreaterThanOrEqual(4);
  for (const { headers } of server.requests) {
    expect(headers.authorization).toBe(`Bearer ${apiKey}`);
  }
  // The stream and the first POST may be those of a tool-events server; then it is known.
  for (const { headers } of posts.slice(1)) expect(headers).not.toHaveProperty('api_key');
  expect(JSON.stringify(server.requests.map(({ url, body }) => [url, body]))).not.toContain(apiKey);
});

test('goes to no server but that of MCP_SERVER_URL', async () => {
  await using own = await startHostileSse();
  await using other = await startHostileSse();
  const env = { MCP_SERVER_URL: own.url, MCP_API_KEY: apiKey };
  const sameHost = other.url.replace('127.0.0.1', 'localhost');
  for (const target of [other.url, sameHost]) {
    const { code } = await runCli(['call', target, 'echo', 'message=hi'], { env });
    expect(code).toBe(0);
  }
  expect(other.messagesOf('tools/call')).toHaveLength(2);
  expect(allOf(other)).not.toContain(apiKey);
  expect(own.requests).toEqual([]);
});

test('goes nowhere without MCP_SERVER_URL', async () => {
  await using server = await startHostileSse();
  const { code } = await runCli(['tools', server.url], { env: { MCP_API_KEY: apiKey } });
  expect(code).toBe(0);
  expect(allOf(server)).not.toContain(apiKey);
});

test('gives way to a header of that name', async () => {
  await using server = await startHostileSse();
  const run = await runCli(['tools', '--header', 'Authorization: Bearer given', '--verbose'], {
    env: { MCP_SERVER_URL: server.url, MCP_API_KEY: apiKey },
  });
  expect(run.code).toBe(0);
  expect(new Set(server.requests.map(({ headers }) => headers.authorization))).toEqual(
    new Set(['Bearer given']),
  );
  expect(run.stdout + run.stderr).not.toContain(apiKey);
});

test('so does the user info of an address, and it is hidden just the same', async () => {
  await using server = await startHostileSse();
  const target = server.url.replace('http://', 'http://joe:s3cr3t-of-joe@');
  const encoded = Buffer.from('joe:s3cr3t-of-joe').toString('base64');
  const runs = [
    await runCli(['call', target, 'echo', 'message=s3cr3t-of-joe', '--verbose']),
    await runCli(['inspect', target, '--json']),
    await runCli(['call', target, 'nothing', '--verbose']),
  ];
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 2]);
  expect(new Set(server.requests.map(({ headers }) => headers.authorization))).toEqual(
    new Set([`Basic ${encoded}`]),
  );
  for (const { stdout, stderr } of runs) {
    expect(stdout + stderr).not.toContain('s3cr3t');
    expect(stdout + stderr).not.toContain(encoded);
  }
});

test.for([[[]], [['--json']], [['--verbose']]])(
  'is hidden where a tool says it, with %j',
  async ([flags]) => {
    await using server = await startHostileSse();
    const run = await runWithKey(server, [
      'call',
      'echo',
      `message=it is ${apiKey}!`,
      ...(flags ?? []),
    ]);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain('it is ***!');
  },
);
