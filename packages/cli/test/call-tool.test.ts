import { describe, expect, it } from 'vitest';
import { listenMcp, untilTheEndOfEachTest } from './fake-servers.ts';
import { run } from './run.ts';

const started = untilTheEndOfEachTest();

const tool = {
  name: 'echo',
  inputSchema: { type: 'object', properties: { n: { type: 'integer' } } },
};

describe('of a call that was answered', () => {
  const promising = {
    ...tool,
    outputSchema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
  };
  const result = { content: [{ type: 'text', text: 'paid' }], structuredContent: { n: 'one' } };

  it('the result is printed, with a remark, when it misses its output schema', async () => {
    const { url } = await started(listenMcp({ tool: promising, result: () => result }));
    const { code, stdout, stderr } = await run(['call', `${url}/sse`, 'echo']);
    expect(code).toBe(0);
    expect(stdout).toContain('paid');
    expect(stderr).toMatch(
      /^The tool echo ran and answered, but the result is not what its output schema/m,
    );
    const json = await run(['call', `${url}/sse`, 'echo', '--json']);
    expect([json.code, JSON.parse(json.stdout)]).toEqual([0, result]);
  });

  it.each<[unknown, number, string]>([
    [{ content: 'paid' }, 0, 'paid\n'],
    [{ content: 'no', isError: true }, 1, 'no\n'],
    [{ toolResult: 'paid' }, 0, 'paid\n'],
    [{ state: 'paid' }, 0, '{"state":"paid"}\n'],
    ['paid', 0, 'paid\n'],
  ])('the result is printed, with a remark, when it is %j', async (odd, exitCode, printed) => {
    const { url } = await started(listenMcp({ tool, result: () => odd }));
    const { code, stdout, stderr } = await run(['call', `${url}/sse`, 'echo']);
    expect([code, stdout]).toEqual([exitCode, printed]);
    expect(stderr).toMatch(/echo (?:is not in the form|ran and answered)/);
  });
});
