import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHttpFixture } from '../../support/http-fixture.ts';
import { expectNothingLeftOpen } from '../../support/open-handles.ts';
import { runCli, type CliRun } from '../../support/run-cli.ts';
import type { Prepared } from '../../support/user-cache.ts';
import { directoryOf, tellWhatIsMissing } from './missing.ts';
import { connectOfficialCommand } from './official-client.ts';
import { removeFolder } from '../../support/remove-folder.ts';

/** Where a popular server is started. */
export interface ServerPlace {
  /** Where it is installed. */
  directory: string;
  /** A directory of its own, with a file `hello.txt`. */
  scratch: string;
  /** A web server that answers everything with `{"name":"local"}`, in place of the internet. */
  origin: string;
}

/** A server that people use every day, over stdio. */
export interface PopularServer {
  name: string;
  command: (around: ServerPlace) => [command: string, ...args: string[]];
  env?: (around: ServerPlace) => Record<string, string>;
  /** A call that does no harm and leaves the machine alone. */
  call: { tool: string; args: (around: ServerPlace) => Record<string, unknown> };
  /** What the printed result holds. */
  answer: unknown;
  /** How the command ends: 1 where what the tool needs is not there, and it says so. */
  code?: 1;
}

/** Makes a folder and a web server for popular servers. */
export async function preparePlace(): Promise<{
  around: Omit<ServerPlace, 'directory'>;
  close(): Promise<void>;
}> {
  const web = await startHttpFixture((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"local"}');
  });
  const scratch = await mkdtemp(join(tmpdir(), 'longwire-'));
  await writeFile(join(scratch, 'hello.txt'), 'hello');
  return {
    around: { scratch, origin: web.origin },
    close: async () => {
      await web.close();
      await removeFolder(scratch);
    },
  };
}

/** How a configuration starts a server. */
export function commandOf(
  server: PopularServer,
  around: ServerPlace,
): { command: string; args: string[]; env: Record<string, string> } {
  const [command, ...args] = server.command(around);
  return { command, args, env: { ...quiet, ...server.env?.(around) } };
}

/** Looks at popular servers and calls them, from a configuration file as people have them. */
export function describePopular(prepared: Prepared, servers: readonly PopularServer[]): void {
  expectNothingLeftOpen();
  tellWhatIsMissing(prepared);
  let place: Awaited<ReturnType<typeof preparePlace>> | undefined;
  let around: ServerPlace;
  beforeAll(async () => {
    if ('missing' in prepared) return;
    place = await preparePlace();
    around = { ...place.around, directory: directoryOf(prepared) };
  });
  afterAll(() => place?.close());

  describe.for('missing' in prepared ? [] : servers)('$name', (server) => {
    const { name, call } = server;
    let config: string;
    let command: { command: string; args: string[]; env: Record<string, string> };
    beforeAll(async () => {
      command = commandOf(server, around);
      config = join(around.scratch, `${name}.json`);
      await writeFile(config, JSON.stringify({ mcpServers: { [name]: command } }));
    });
    const run = (verb: string, ...rest: string[]): Promise<CliRun> =>
      runCli([verb, name, ...rest, '--config', config, '--json', '--timeout', '60s'], {
        killAfterMs: 68_000,
      });

    let reference: { tools: unknown[]; server: unknown; protocolVersion: unknown };
    test('is listed as the official client lists it', async () => {
      await using official = await connectOfficialCommand(command);
      reference = {
        tools: (await official.raw('tools/list'))['tools'] as unknown[],
        server: official.sdk.getServerVersion(),
        protocolVersion: official.sdk.getNegotiatedProtocolVersion(),
      };
      const { code, stdout, stderr } = await run('tools');
      expect([code, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toEqual(reference.tools);
    });

    test('is inspected', async () => {
      const { code, stdout, stderr } = await run('inspect');
      expect([code, stderr]).toEqual([0, '']);
      const { tools, ...rest } = reference;
      expect(JSON.parse(stdout)).toMatchObject({
        transport: 'stdio',
        ...rest,
        counts: { tools: tools.length },
      });
    });

    test('is called', async () => {
      const args = JSON.stringify(call.args(around));
      const { code, stdout, stderr } = await run('call', call.tool, '--args', args);
      expect([code, stdout], stderr).toEqual([server.code ?? 0, server.answer]);
    });
  });
}

/** Nothing of theirs is to leave the machine, nor to be looked for. */
const quiet = {
  DO_NOT_TRACK: '1',
  NO_UPDATE_NOTIFIER: '1',
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1',
};
