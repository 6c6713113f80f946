import { afterEach, expect, it } from 'vitest';
import { listenMcp, type FakeServer } from '../fake-servers.ts';
import { run } from '../run.ts';

const open: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const evil = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
const text = `${'a'.repeat(40)}!`;

it.each([
  ['takes', { inputSchema: evil }, /The arguments are not checked by the tool's schema: it took/],
  [
    'answers',
    { inputSchema: { type: 'object' }, outputSchema: evil },
    /a result of echo is not checked by its output schema: it took longer/,
  ],
])(
  'a call ends, and says what was not checked of what the tool %s',
  async (_what, part, remark) => {
    const server = await listenMcp({
      tool: { name: 'echo', ...part },
      result: (args) => ({ content: [], structuredContent: args }),
    });
    open.push(server);
    const { code, stdout, stderr } = await run([
      'call',
      `${server.url}/sse`,
      'echo',
      `a=${text}`,
      '--json',
      '--verbose',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ structuredContent: { a: text } });
    expect(stderr).toMatch(remark);
  },
);
