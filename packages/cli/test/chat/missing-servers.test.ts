import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { listen, listenClaude } from '../fake-servers.ts';
import { run } from '../run.ts';

let serving: Serving;
/** An address where nobody is. */
let dead: string;
beforeAll(async () => {
  serving = await serve({ create: () => createDemoServer() });
  const closed = await listen(() => undefined);
  dead = closed.url;
  await closed.close();
});
afterAll(() => serving.close());

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('a server of a conversation that is not there', () => {
  it('is said once, and /tools and /call of the other one work', async () => {
    const input = '/tools\n/call echo message=one\n/tools\necho message=two\n/servers\n';
    const { code, stdout, stderr } = await run(['chat', serving.sseUrl, dead], { input });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^echo +/m);
    expect(stdout).toContain(`${new URL(dead).host}\nnot available\n`);
    expect(stdout).toContain('one\n');
    expect(stdout).toContain('two\n');
    expect(count(stderr, 'error: ')).toBe(1);
    expect(stderr).not.toContain('lists no tools');
  });

  it('may still be connecting, which holds up nobody', async () => {
    const silent = await listen(() => undefined);
    const input = '/call echo message=one\n';
    const args = ['chat', serving.sseUrl, silent.url, '--timeout', '60s'];
    const { code, stdout, stderr } = await run(args, { input });
    await silent.close();
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'one\n' });
    expect(stderr).toContain(`${new URL(silent.url).host} is still connecting.`);
  });

  it('is the error of a call that names it', async () => {
    const input = `/call ${new URL(dead).host}/echo message=x\n`;
    const { code, stderr } = await run(['chat', serving.sseUrl, dead], { input });
    expect(code).toBe(3);
    expect(count(stderr, 'cannot connect') + count(stderr, 'could not connect')).toBeGreaterThan(0);
  });

  it('is named where a tool is nowhere else', async () => {
    const input = '/call no_such_tool\n';
    const { code, stderr } = await run(['chat', serving.sseUrl, dead], { input });
    expect(code).toBe(2);
    expect(stderr).toMatch(/no server has a tool "no_such_tool" \(.* could not be asked\)/);
  });

  it('holds up no turn, and is said once in many', async () => {
    const claude = await listenClaude([{ text: ['one'] }, { text: ['two'] }]);
    const env = { ANTHROPIC_API_KEY: 'claude-key-here', ANTHROPIC_BASE_URL: claude.url };
    const { code, stdout, stderr } = await run(['chat', serving.sseUrl, dead], {
      env,
      input: 'hi\nagain\n',
    });
    await claude.close();
    expect(code).toBe(0);
    expect(stdout).toMatch(/one\n.*two\n/s);
    expect(count(stderr, 'error: ') + count(stderr, 'lists no tools')).toBe(1);
    expect(claude.requests[1]).toContain('long_task');
  });
});

describe('one question', () => {
  const ask = async (args: string[]) => {
    const claude = await listenClaude([{ text: ['yes'] }]);
    const env = { ANTHROPIC_API_KEY: 'claude-key-here', ANTHROPIC_BASE_URL: claude.url };
    const asked = await run(['chat', serving.sseUrl, dead, '-p', 'hi', ...args], { env });
    await claude.close();
    return { ...asked, requests: claude.requests };
  };

  it('is not asked without a server, and it is said how it is', async () => {
    const { code, stdout, stderr, requests } = await ask([]);
    expect({ code, stdout, requests }).toEqual({ code: 3, stdout: '', requests: [] });
    expect(stderr).toMatch(/^error: [^\n]*--allow-missing continues with the other servers\n$/);
  });

  it('is asked with --allow-missing', async () => {
    const { code, stdout, stderr, requests } = await ask(['--allow-missing']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'yes\n' });
    expect(count(stderr, 'error: ')).toBe(1);
    expect(requests[0]).toContain('long_task');
    const json = JSON.parse((await ask(['--allow-missing', '--json'])).stdout) as object;
    expect(json).toMatchObject({ answer: 'yes', missing: [new URL(dead).host] });
  });

  it('is not asked where all are missing', async () => {
    const { code, stderr } = await run(['chat', dead, '-p', 'hi', '--allow-missing'], {
      env: { ANTHROPIC_API_KEY: 'claude-key-here', ANTHROPIC_BASE_URL: dead },
    });
    expect(code).toBe(3);
    expect(count(stderr, 'error: ')).toBe(1);
  });
});
