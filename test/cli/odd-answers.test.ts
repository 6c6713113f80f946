import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { goodAnswers, scripted, scriptedServers } from '../support/scripted-servers.ts';

const commands = [['inspect'], ['tools'], ['call', 'echo']];
const args = ([command = '', ...rest]: string[], target: unknown): string[] => [
  command,
  String(target),
  ...rest,
];

describe.each(commands)('longwire %s', (...command) => {
  it.each([{ _meta: null }, { debug: true }])(
    'takes answers with what the SDK does not, %j',
    async (odd) => {
      const answers = Object.entries(goodAnswers).map(([method, text]) => {
        const { result } = JSON.parse(text.replace('$ID', '0')) as { result: object };
        const isMeta = '_meta' in odd;
        const properties = isMeta ? { result: { ...result, ...odd } } : { result, ...odd };
        return [method, scripted(properties)];
      });
      await using server = await scriptedServers.sse(Object.fromEntries(answers));
      const { code, stdout } = await runCli(args(command, server.target));
      expect(stdout).toMatch(/echo|said|scripted/);
      expect(code).toBe(0);
    },
  );

  it.each(['$DEEP', '$MANY'])('ends with an error when an answer is %s', async (value) => {
    await using server = await scriptedServers['streamable-http']({
      ...goodAnswers,
      'tools/list': scripted({ result: { tools: value } }),
      'tools/call': scripted({ result: { content: value } }),
    });
    const { code, stderr } = await runCli(args(command, server.target));
    expect(stderr).toMatch(/over a limit/);
    expect(stderr).not.toMatch(/RangeError|\n +at /);
    expect(code).toBeGreaterThan(0);
    expect(code).not.toBe(13);
  });
});
