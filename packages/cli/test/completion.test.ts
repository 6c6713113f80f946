import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { ownServer } from '../../../test/cli/support/servers.ts';
import { run } from './run.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longwire-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What the end of a line may become. */
async function candidates(line: string, ...options: string[]): Promise<string[]> {
  const words = ['completion', 'words', 'fish', `longwire ${line}`, ...options];
  const { code, stdout, stderr } = await run(words, {
    cwd: folder,
    env: { HOME: folder, XDG_CACHE_HOME: folder },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').filter((each) => each !== '');
}

/** A server with these tools, which a command has listed. */
async function listed(names: readonly string[]): Promise<{ url: string } & AsyncDisposable> {
  const create = (): McpServer => {
    const server = new McpServer({ name: 'tools', version: '1' });
    for (const name of names) {
      server.registerTool(
        name,
        {
          description: 'Is\tone\u001b[2J',
          inputSchema: z.object({ size: z.enum(['s', 'm']), wet: z.boolean().optional() }),
        },
        () => ({ content: [] }),
      );
    }
    return server;
  };
  const serving = await serve({ create });
  const { url } = serving;
  const { code } = await run(['tools', url], { cwd: folder, env: { XDG_CACHE_HOME: folder } });
  expect(code).toBe(0);
  return { url, [Symbol.asyncDispose]: () => serving.close() };
}

describe('completion', () => {
  it('knows commands, their options and the values of these', async () => {
    expect(await candidates('insp')).toEqual([expect.stringMatching(/^inspect\t/)]);
    expect(await candidates('call --loo')).toEqual([expect.stringMatching(/^--loose\t/)]);
    expect(await candidates('--transport ss')).toEqual(['sse']);
    expect(await candidates('servers sta')).toEqual([expect.stringMatching(/^status\t/)]);
    expect(await candidates('completion ')).toEqual(['bash', 'zsh', 'fish']);
    expect(await candidates('help opt')).toEqual([expect.stringMatching(/^options\t/)]);
  });

  it('knows the servers of the configuration, and offers files where one is expected', async () => {
    const servers = { market: { url: 'http://127.0.0.1:1/mcp' } };
    writeFileSync(join(folder, 'longwire.json'), JSON.stringify({ servers }));
    const other = { mcpServers: { files: { command: 'no-such-server' } } };
    writeFileSync(join(folder, '.mcp.json'), JSON.stringify(other));
    expect(await candidates('tools ')).toEqual(['market', '.mcp:files', '@all']);
    expect(await candidates('servers allow .m')).toEqual(['.mcp:files']);
    for (const line of ['--config ', 'run ', 'tools -- nod', 'nosuch ']) {
      expect(await candidates(line)).toEqual([]);
    }
  });

  it('knows the tools of a server that was listed, their arguments and their values', async () => {
    await using server = await listed(['wash', 'dry']);
    const { url } = server;
    expect(await candidates('call http')).toEqual([url]);
    expect(await candidates(`call ${url} wa`)).toEqual(['wash\tIs one']);
    expect(await candidates(`call ${url} wash `)).toEqual(['size=', 'wet=']);
    expect(await candidates(`call ${url} wash size=s `)).toEqual(['wet=']);
    expect(await candidates(`call ${url} wash size=`)).toEqual(['size=s', 'size=m']);
    expect(await candidates(`call --timeout 5 ${url} wash wet=t`)).toEqual(['wet=true']);
  });

  it('gives bash only the part of a word that it replaces', async () => {
    await using server = await listed(['wash']);
    const line = `longwire call ${server.url} wash size=`;
    const { stdout } = await run(['completion', 'words', 'bash', line, '--part='], {
      cwd: folder,
      env: { XDG_CACHE_HOME: folder },
    });
    expect(stdout).toBe('s\nm\n');
  });

  it('offers nothing that a shell would take for more than a word', async () => {
    await using server = await listed(['$(touch x)', '`x`', "a'b", 'a b', '..', 'fine']);
    expect(await candidates(`call ${server.url} `)).toEqual(['..\tIs one', 'fine\tIs one']);
  });

  it('does not keep an address with a secret in it, and needs no home', async () => {
    await using server = await listed(['wash']);
    await run(['tools', `${server.url}?key=s3cr3t`], {
      cwd: folder,
      env: { XDG_CACHE_HOME: folder },
    });
    expect(await candidates('call http')).toEqual([server.url]);
    const { code } = await run(['tools', server.url], { env: { XDG_CACHE_HOME: '/dev/null' } });
    expect(code).toBe(0);
  });

  it('prints a script, or says how to install one', async () => {
    expect((await run(['completion', 'zsh'])).stdout).toMatch(/^#compdef longwire/);
    expect((await run(['completion'], { env: { SHELL: '/bin/fish' } })).stdout).toMatch(/^fish:/);
    expect((await run(['completion', 'tcsh'])).code).toBe(2);
  });

  it('keeps the tools of a command after -- for no server that has a name', async () => {
    await using server = await listed(['of_url']);
    const env = { HOME: folder, XDG_CACHE_HOME: folder, MCP_SERVER_URL: server.url };
    await run(['tools'], { cwd: folder, env });
    const { code } = await run(['tools', '--', process.execPath, ownServer], { cwd: folder, env });
    expect(code).toBe(0);
    const words = ['completion', 'words', 'fish', 'longwire call '];
    const { stdout } = await run(words, { cwd: folder, env });
    expect(stdout.split('\n')[0]).toMatch(/^of_url\t/);
  });

  it('keeps the tools of the servers that were used last', async () => {
    const catalogues = join(folder, 'longwire', 'catalogues');
    mkdirSync(catalogues, { recursive: true });
    const earlier = new Date(Date.now() - 60_000);
    for (let count = 0; count < 300; count++) {
      const file = join(catalogues, `${count}.json`);
      writeFileSync(file, '{"tools":[]}');
      utimesSync(file, earlier, earlier);
    }
    await using server = await listed(['latest']);
    expect(readdirSync(catalogues)).toHaveLength(200);
    expect(await candidates(`call ${server.url} `)).toContainEqual(
      expect.stringMatching(/^latest/),
    );
  });
});
