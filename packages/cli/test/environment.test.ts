import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEnvironment, type Environment } from '../src/environment.ts';
import { run } from './run.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'longwire-environment-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

function read(dotEnv: string, env: Record<string, string> = {}): Environment {
  writeFileSync(join(cwd, '.env'), dotEnv);
  return readEnvironment({ env, cwd });
}

describe('the environment', () => {
  it('is read', () => {
    const env = {
      MCP_SERVER_URL: 'http://h/sse',
      MCP_API_KEY: 'k',
      ANTHROPIC_API_KEY: 'a',
      ANTHROPIC_BASE_URL: 'http://claude',
      ANTHROPIC_MODEL: 'm',
    };
    expect(readEnvironment({ env, cwd })).toEqual({
      serverUrl: 'http://h/sse',
      apiKey: 'k',
      anthropicApiKey: 'a',
      anthropicBaseUrl: 'http://claude',
      anthropicModel: 'm',
      warnings: [],
    });
  });

  it('may be empty, and then nothing is set', () => {
    expect(readEnvironment({ env: { MCP_API_KEY: '', MCP_SERVER_URL: ' ' }, cwd })).toEqual({
      warnings: [],
    });
  });
});

describe('.env', () => {
  it('is read, with quotes, comments and a byte order mark', () => {
    const file = '\uFEFFMCP_SERVER_URL="http://h/sse" # where\n# no\nexport MCP_API_KEY=k\n';
    expect(read(file)).toEqual({ serverUrl: 'http://h/sse', apiKey: 'k', warnings: [] });
  });

  it('never overrides what is set, be it to nothing', () => {
    const file = 'MCP_API_KEY=file\nANTHROPIC_MODEL=file\n';
    expect(read(file, { MCP_API_KEY: 'set', ANTHROPIC_MODEL: '' })).toEqual({
      apiKey: 'set',
      warnings: [],
    });
  });

  it('may be a directory', () => {
    mkdirSync(join(cwd, '.env'));
    expect(readEnvironment({ env: {}, cwd })).toEqual({ warnings: [] });
  });

  it.each([
    ['MCP_SERVER_URL', 'MCP_API_KEY', 'serverUrl', 'apiKey'],
    ['ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY', 'anthropicBaseUrl', 'anthropicApiKey'],
    ['ANTHROPIC_BASE_URL', 'ANTHROPIC_AUTH_TOKEN', 'anthropicBaseUrl', 'anthropicAuthToken'],
  ] as const)('names %s only together with %s', (address, key, addressField, keyField) => {
    const url = 'http://evil/sse';

    const together = read(`${address}=${url}\n${key}=file\n`);
    expect(together).toMatchObject({ [addressField]: url, [keyField]: 'file', warnings: [] });

    for (const env of [{ [key]: 'mine' }, {}, { [key]: '' }]) {
      const apart = read(`${address}=${url}\n${key in env ? '' : 'OTHER=1'}\n`, env);
      expect(apart[addressField]).toBeUndefined();
      expect(apart.warnings).toMatchObject([{ about: address }]);
      expect(apart.warnings[0]?.message).not.toContain(url);
    }

    // The key of the file is not used, so the address is not either.
    const outvoted = read(`${address}=${url}\n${key}=file\n`, { [key]: 'mine' });
    expect(outvoted[addressField]).toBeUndefined();
    expect(outvoted[keyField]).toBe('mine');
    expect(outvoted.warnings).toHaveLength(1);
  });

  it('names an address for Claude only together with the credential that is used', () => {
    const url = 'http://evil';
    const file = `ANTHROPIC_BASE_URL=${url}\nANTHROPIC_API_KEY=file\n`;
    const mine = read(file, { ANTHROPIC_AUTH_TOKEN: 'mine' });
    expect(mine).toMatchObject({ anthropicAuthToken: 'mine' });
    expect(mine.anthropicBaseUrl).toBeUndefined();
    expect(mine.warnings[0]?.message).toContain('ANTHROPIC_AUTH_TOKEN');
    const token = `ANTHROPIC_BASE_URL=${url}\nANTHROPIC_AUTH_TOKEN=file\n`;
    expect(read(token, { ANTHROPIC_API_KEY: 'mine' })).toMatchObject({ anthropicBaseUrl: url });
  });

  it('gives a key to an address that was set', () => {
    expect(read('MCP_API_KEY=file\n', { MCP_SERVER_URL: 'http://h/sse' })).toEqual({
      serverUrl: 'http://h/sse',
      apiKey: 'file',
      warnings: [],
    });
  });

  it('tells of an address that it ignores only where it would have been used', async () => {
    const env = { MCP_API_KEY: 'mine' };
    const url = 'http://127.0.0.1:9/sse';
    writeFileSync(join(cwd, '.env'), `MCP_SERVER_URL=${url}\n`);
    expect((await run(['tools'], { cwd, env })).stderr).toContain('ignored MCP_SERVER_URL');
    expect((await run(['tools', url], { cwd, env })).stderr).not.toContain('ignored');
  });
});
