import { stripVTControlCharacters } from 'node:util';
import { expect } from 'vitest';
import type { HostileSseServer } from '../../support/hostile-sse.ts';
import { type CliOptions, type CliRun, runCli } from '../../support/run-cli.ts';

/** A key that would be found: no other text looks like it, and a URL would write it otherwise. */
export const apiKey = 'k3y/of+the=fault~tests';

/**
 * Runs the command with `MCP_SERVER_URL` and `MCP_API_KEY` set for this server, and checks what
 * holds whatever happens: the key was sent, is in no output, and nothing went to another origin.
 */
export async function runWithKey(
  server: HostileSseServer,
  args: string[],
  options: Omit<CliOptions, 'env'> = {},
): Promise<CliRun> {
  const env = { MCP_SERVER_URL: server.url, MCP_API_KEY: apiKey };
  const run = await runCli(args, { ...options, env });
  expectSecretsKept(server, run);
  return run;
}

/** Fails if a secret of the run got out: the key, or the id of a session. */
export function expectSecretsKept(server: HostileSseServer, run: CliRun): void {
  expect(server.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${apiKey}` });
  const sessionIds = server.requests.flatMap(
    ({ url }) => /sessionId=([-\w]+)/.exec(url)?.[1] ?? [],
  );
  for (const secret of [apiKey, encodeURIComponent(apiKey), ...sessionIds]) {
    expect(run.stdout + run.stderr).not.toContain(secret);
  }
  expect(server.otherOrigin.acceptedConnections()).toBe(0);
}

/** What a run that failed said: one line, and with `--verbose` that line among others. */
export function complaintOf({ stderr }: CliRun, { verbose = false } = {}): string {
  const lines = stripVTControlCharacters(stderr).split('\n').slice(0, -1);
  const complaints = lines.filter((line) => line.startsWith('error: '));
  expect(complaints, stderr).toHaveLength(1);
  if (!verbose) expect(lines, 'one line').toHaveLength(1);
  return complaints[0] ?? '';
}
