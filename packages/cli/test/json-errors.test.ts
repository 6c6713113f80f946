import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listen, listenMcp, untilTheEndOfEachTest } from './fake-servers.ts';
import { run } from './run.ts';

const started = untilTheEndOfEachTest();

const tool = {
  name: 'echo',
  inputSchema: { type: 'object', properties: { n: { type: 'integer' } } },
};

/** The one document that a failing command prints. */
async function failureOf(args: string[]): Promise<{ code: number; error: object }> {
  const { code, stdout, stderr } = await run([...args, '--json']);
  expect(stderr).not.toBe('');
  const lines = stdout.trimEnd().split('\n');
  // Of what is watched, each event is a document of its own.
  if (args[0] !== 'watch') expect(lines).toHaveLength(1);
  const document = JSON.parse(lines.at(-1) ?? '') as { error: object };
  expect(Object.keys(document)).toEqual(['error']);
  return { code, error: document.error };
}

describe('with --json a command that fails says so on stdout, too', () => {
  it.each([['inspect'], ['tools'], ['resources'], ['prompts'], ['call', 'echo'], ['watch']])(
    'when it is not let in: %s',
    async (command, ...rest) => {
      const { url } = await started(listen((_, response) => response.writeHead(401).end()));
      expect(await failureOf([command, `${url}/sse?key=s3cr3t-s3cr3t`, ...rest])).toMatchObject({
        code: 4,
        error: {
          code: 'unauthorized',
          certainty: 'not-sent',
          message: expect.not.stringContaining('s3cr3t'),
          hint: expect.stringMatching(/MCP_API_KEY/),
          tried: [{ url: expect.stringContaining(url), outcome: expect.stringMatching(/401/) }],
        },
      });
    },
  );

  it('when the call is cut', async () => {
    const { url } = await started(
      listenMcp({ tool, onCall: (response) => response.writeHead(500).end() }),
    );
    expect(await failureOf(['call', `${url}/sse`, 'echo'])).toMatchObject({
      code: 6,
      error: {
        code: 'http-status',
        certainty: 'outcome-unknown',
        hint: expect.stringMatching(/check on the server/),
      },
    });
  });

  it.each<[string[], string, RegExp]>([
    [['call', 'URL', 'ecko'], 'unknown-tool', /no tool "ecko"/],
    [['call', 'URL', 'echo', 'n=x'], 'invalid-arguments', /whole number/],
    [['call', 'URL'], 'invalid-arguments', /no tool given/],
    [['tools', 'URL', '--timeout', 'x'], 'invalid-arguments', /--timeout/],
    [['tools', 'URL', '--nonsense'], 'invalid-arguments', /unknown option '--nonsense'/],
    [['nonsense'], 'invalid-arguments', /nonsense/],
    [['chat', 'URL'], 'invalid-arguments', /-p/],
  ])('when the words are wrong: %j', async (words, code, message) => {
    const { url } = await started(listenMcp({ tool }));
    const args = words.map((word) => word.replace('URL', `${url}/sse`));
    expect(await failureOf(args)).toMatchObject({
      code: 2,
      error: { code, certainty: 'not-sent', message: expect.stringMatching(message) },
    });
  });

  it('when a workflow is wrong', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longwire-'));
    try {
      const file = join(folder, 'wrong.yaml');
      writeFileSync(file, 'triggers: 7\n');
      expect(await failureOf(['run', file])).toMatchObject({
        code: 2,
        error: { code: 'config', message: expect.stringMatching(/triggers/) },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('and --help and --version are no failures', async () => {
    expect((await run(['--version', '--json'])).stdout).toMatch(/^\d+\.\d+/);
  });
});
