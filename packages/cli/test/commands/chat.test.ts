import { serve, type Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';
import { listenClaude, type FakeAnswer } from '../fake-servers.ts';
import { run, type Run } from '../run.ts';

let servings: [Serving, Serving];
beforeAll(async () => {
  servings = [
    await serve({ create: () => createDemoServer() }),
    await serve({ create: () => createDemoServer() }),
  ];
});
afterAll(async () => {
  await Promise.all(servings.map((serving) => serving.close()));
});

/** Asks once, of a Claude that gives these answers. */
async function ask(
  answers: FakeAnswer[],
  args: string[] = [],
): Promise<Run & { requests: string[] }> {
  const claude = await listenClaude(answers);
  const env = { ANTHROPIC_API_KEY: 'claude-key-here', ANTHROPIC_BASE_URL: claude.url };
  const asked = await run(['chat', servings[0].sseUrl, '-p', 'hi', '--yes', ...args], { env });
  await claude.close();
  return { ...asked, requests: claude.requests };
}

describe('chat', () => {
  it('hides a key that comes in two pieces', async () => {
    const { code, stdout } = await ask([{ text: ['it is claude-', 'key-here', ', yes'] }]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'it is ***, yes\n' });
  });

  it('holds Claude to --timeout', async () => {
    // Longer than this test may take, should nothing end it.
    const call = { tool: 'long_task', args: { steps: 1, stepMs: 60_000 } };
    const { code, stdout, requests } = await ask(
      [call, { text: ['timed out'] }],
      ['--timeout', '300ms'],
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'timed out\n' });
    expect(requests[1]).toContain('300 ms');
  });

  it('shows ANTHROPIC_AUTH_TOKEN, and not the key beside it', async () => {
    const claude = await listenClaude([
      { text: ['yes, bearer-of-mine'] },
      { status: 401, error: { type: 'authentication_error', message: 'no' } },
    ]);
    const env = {
      ANTHROPIC_AUTH_TOKEN: 'bearer-of-mine',
      ANTHROPIC_API_KEY: 'claude-key-here',
      ANTHROPIC_BASE_URL: claude.url,
    };
    const asked = await run(['chat', servings[0].sseUrl, '-p', 'hi'], { env });
    const refused = await run(['chat', servings[0].sseUrl, '-p', 'hi'], { env });
    await claude.close();
    expect(asked).toMatchObject({ code: 0, stdout: 'yes, ***\n' });
    expect(claude.headers[0]?.authorization).toBe('Bearer bearer-of-mine');
    expect(claude.headers[0]?.['x-api-key']).toBeUndefined();
    expect(refused.stderr).toContain('Claude refused ANTHROPIC_AUTH_TOKEN with 401');
  });

  it('says what to do about what Claude refuses', async () => {
    const error = { type: 'invalid_request_error', message: 'prompt is too long: 300000 tokens' };
    const { code, stderr } = await ask([{ status: 400, error }]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*prompt is too long.*; .*\/reset starts anew\n$/);
  });

  it('names servers by where they are, not as they call themselves', async () => {
    const [first, second] = servings.map(({ url }) => url) as [string, string];
    const hosts = [new URL(first).host, new URL(second).host] as const;
    const input = `/servers\n/call echo message=x\n/call ${hosts[1]}/echo message=second\n`;
    const { code, stdout, stderr } = await run(['chat', first, second], { input });
    expect(code).toBe(0);
    for (const host of hosts) expect(stdout).toContain(`${host}: Longwire demo`);
    expect(stderr).toContain(`write ${hosts[0]}/echo or ${hosts[1]}/echo`);
    expect(stdout).toMatch(/\nsecond\n$/);
  });

  it('sends no credentials of --header to several servers', async () => {
    const urls = servings.map(({ url }) => url);
    for (const header of ['Authorization: Bearer x', 'X-Api-Key: x', 'Cookie: a=b']) {
      const { code, stderr } = await run(['chat', ...urls, '--header', header], { input: '' });
      expect(code).toBe(2);
      expect(stderr).toMatch(/would go to 2 different servers/);
    }
    expect((await run(['chat', ...urls, '--header', 'X-Tenant: a'])).code).toBe(0);
  });

  it('takes what is piped in with the question', async () => {
    const claude = await listenClaude([{ text: ['ok'] }]);
    const env = { ANTHROPIC_API_KEY: 'claude-key-here', ANTHROPIC_BASE_URL: claude.url };
    const words = ['chat', servings[0].sseUrl, '-p', 'What is this?'];
    const asked = await run(words, { env, input: 'diff --git a/x b/x' });
    const large = await run(words, { env, input: 'x'.repeat(5_000_000) });
    await claude.close();
    expect(asked).toMatchObject({ code: 0, stdout: 'ok\n' });
    expect(asked.stderr).toContain('goes with the question: 18 bytes');
    const { messages } = JSON.parse(claude.requests[0] ?? '') as { messages: unknown[] };
    expect(messages[0]).toMatchObject({
      content: [
        { text: '[Resource stdin (18 bytes)]\ndiff --git a/x b/x' },
        { text: 'What is this?' },
      ],
    });
    expect(large).toMatchObject({ code: 2 });
    expect(large.stderr).toContain('more than 4 MiB');
    expect(claude.requests).toHaveLength(1);
  });

  it('attaches resources, asks with prompts, and counts tokens', async () => {
    const claude = await listenClaude([{ text: ['one'] }, { text: ['two'] }, { text: ['three'] }]);
    const env = { ANTHROPIC_API_KEY: 'claude-key-here', ANTHROPIC_BASE_URL: claude.url };
    const lines = [
      '/usage',
      '/resources',
      '/read demo://about',
      'What is it?',
      '/prompt market_brief symbols=AAPL',
      '/model claude-other',
      'And now?',
      '/model',
      '/usage',
    ];
    const input = `${lines.join('\n')}\n`;
    const { code, stdout, stderr } = await run(['chat', servings[0].sseUrl], { env, input });
    await claude.close();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Nothing was asked yet\.\n/);
    expect(stdout).toContain('demo://clock');
    expect(stderr).toContain('demo://about is attached');
    expect(stdout).toMatch(/claude-other answers from now on.*\nclaude-other\nlast turn: /s);
    expect(stdout).toMatch(/3 turns: [\d,]+ tokens in, [\d,]+ out\n$/);
    const bodies = claude.requests.map(
      (text) =>
        JSON.parse(text) as { model: string; messages: { role: string; content: unknown }[] },
    );
    expect(JSON.stringify(bodies[0]?.messages)).toMatch(/demo:\/\/about.*What is it\?/);
    expect(JSON.stringify(bodies[1]?.messages.at(-1))).toContain('AAPL');
    // What was attached went with one question.
    expect(JSON.stringify(bodies[2]?.messages.at(-1))).not.toContain('demo://about');
    expect(bodies.map(({ model }) => model)).toEqual([
      'claude-sonnet-5-5',
      'claude-sonnet-5-5',
      'claude-other',
    ]);
  });

  it('says which of several servers a resource and a prompt are of', async () => {
    const urls = servings.map(({ url }) => url);
    const host = new URL(urls[1] ?? '').host;
    const input = [
      '/read demo://about',
      `/read ${host} demo://about`,
      '/read demo://nowhere',
      '/prompt',
      `/prompt ${host} market_brief symbols=AAPL`,
    ].join('\n');
    const { stdout, stderr } = await run(['chat', ...urls], { input });
    expect(stderr).toContain('several servers have "demo://about": write /read SERVER URI');
    expect(stderr).toContain('no server lists "demo://nowhere"');
    expect(stderr).toContain('write what: /prompt NAME');
    expect(stdout).toContain('# The demo server');
    expect(stdout).toContain('AAPL');
  });

  it('from a pipe ends with 1 where the last call reported an error', async () => {
    const input = 'echo message=x\nfail\n';
    expect((await run(['chat', servings[0].sseUrl], { input })).code).toBe(1);
  });
});
