import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startHttpFixture, type RecordedRequest } from '../../../../test/support/http-fixture.ts';
import { removeFolder } from '../../../../test/support/remove-folder.ts';
import { run } from '../run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longwire-secrets-'));
});
afterAll(() => removeFolder(folder));

/** Answers with everything that a request has, wherever a server can put it. */
function echo(session: string, { json, headers, url }: RecordedRequest): object | undefined {
  const { id, method } = json as { id?: number; method: string };
  const known = {
    authorization: headers.authorization,
    key: headers['x-api-key'],
    url,
    session,
    [`name ${headers.authorization}`]: [session, { deep: `(${String(headers['x-api-key'])})` }],
  };
  const all = JSON.stringify(known);
  if (id === undefined) return undefined;
  const answer = (result: object): object => ({ jsonrpc: '2.0', id, result });
  switch (method) {
    case 'initialize':
      return answer({
        protocolVersion: '2025-11-25',
        capabilities: { tools: {}, logging: {} },
        serverInfo: { name: all, version: session },
        instructions: all,
      });
    case 'tools/list':
      return answer({
        tools: [{ name: 'echo', description: all, inputSchema: { type: 'object' } }],
      });
    case 'tools/call':
      return answer({
        content: [{ type: 'text', text: all }],
        structuredContent: known,
        _meta: known,
      });
    default:
      return { jsonrpc: '2.0', id, error: { code: -32601, message: all, data: known } };
  }
}

/** What a token may hold: whatever a header can. */
const secret = fc
  .string({
    unit: fc.constantFrom(...'abcdefgXYZ0123456789-._~+/=%!*\'"\\<>{}[]:;,@?&#$^|`'.split('')),
    minLength: 10,
    maxLength: 60,
  })
  .filter((text) => /[a-z0-9]{4}/i.test(text) && encodeURIComponent(text).length < 200);

it('no secret of a request is in a trace, wherever the server repeats it', async () => {
  let session = '';
  await using server = await startHttpFixture((request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const answer = echo(session, request);
    if (answer === undefined) response.writeHead(202).end();
    else {
      response
        .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': session })
        .end(JSON.stringify(answer));
    }
  });
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(secret, secret, secret, fc.uuid(), async (token, key, query, id) => {
      session = id;
      const file = join(folder, `${++runs}.ndjson`);
      const url = `${server.origin}/mcp?access_token=${encodeURIComponent(query)}`;
      const headers = [
        '--header',
        `Authorization: Bearer ${token}`,
        '--header',
        `x-api-key: ${key}`,
      ];
      const args = ['call', url, 'echo', `message:=${JSON.stringify(token)}`, ...headers];
      const shown = await run([...args, '--trace']);
      expect(shown.code, shown.stderr).toBe(0);
      await run([...args, `--trace=${file}`]);
      const written = await readFile(file, 'utf8');
      await rm(file);
      const secrets = { token, key, query, id };
      for (const [name, value] of Object.entries(secrets)) {
        for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) {
          expect(shown.stderr.includes(form), `${name} is shown: ${form}`).toBe(false);
          expect(written.includes(form), `${name} is recorded: ${form}`).toBe(false);
        }
      }
    }),
    // A token that looks like a list of parts.
    { numRuns: 40, examples: [['aaaa=aaa,aaa', 'bbbbbbbbbb', 'cccccccccc', crypto.randomUUID()]] },
  );
}, 60_000);

it('no secret of a process is in a trace: of its words, its variables, its lines', async () => {
  const program = `
    console.error('started with', process.env.SERVICE_TOKEN, process.argv.join(' '));
    console.log('ready', process.env.SERVICE_TOKEN);
    process.stdin.once('data', () => { console.error('password: by-its-form-1'); process.exit(3); });
    setInterval(() => {}, 1000);`;
  const secrets = ['variable-secret-1', 'argument-secret-2', 'by-its-form-1'];
  const args = ['tools', '--env', 'SERVICE_TOKEN=variable-secret-1'];
  const command = ['--', process.execPath, '-e', program, '--', '--token', 'argument-secret-2'];
  const file = join(folder, 'process.ndjson');
  const shown = await run([...args, '--trace', ...command]);
  await run([...args, `--trace=${file}`, ...command]);
  const written = await readFile(file, 'utf8');
  expect(shown.stderr).toContain('server| started with ***');
  expect(written).toContain('"type":"output"');
  for (const each of secrets) {
    expect(shown.stderr).not.toContain(each);
    expect(written).not.toContain(each);
  }
});

it('a result of 50 MiB is traced by its beginning', async () => {
  const text = 'x'.repeat(50 * 1024 * 1024);
  await using server = await startHttpFixture(({ json, method }, response) => {
    const { id, method: asked } = (json ?? {}) as { id?: number; method?: string };
    if (method !== 'POST' || id === undefined) {
      response.writeHead(method === 'POST' ? 202 : 405).end();
      return;
    }
    const result =
      asked === 'initialize'
        ? {
            protocolVersion: '2025-11-25',
            capabilities: { tools: {} },
            serverInfo: { name: 'x', version: '1' },
          }
        : asked === 'tools/list'
          ? { tools: [{ name: 'big', inputSchema: { type: 'object' } }] }
          : { content: [{ type: 'text', text }] };
    const isKnown = asked === 'initialize' || asked === 'tools/list' || asked === 'tools/call';
    const answer = isKnown ? { result } : { error: { code: -32601, message: 'no' } };
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
  });
  const url = `${server.origin}/mcp`;
  const shown = await run(['call', url, 'big', '--trace', '--json']);
  expect(shown.stdout.length).toBeGreaterThan(text.length);
  expect(shown.stderr).toMatch(/← result of tools\/call #\d+, 50 MiB/);
  expect(shown.stderr.length).toBeLessThan(20_000);
  const file = join(folder, 'big.ndjson');
  await run(['call', url, 'big', `--trace=${file}`, '--json']);
  expect((await readFile(file, 'utf8')).length).toBeLessThan(4 * 1024 * 1024);
}, 60_000);
