import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve, type Serving } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import type { Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { VIEWS } from '../../packages/dashboard/src/state/route.ts';
import { describeInChromium, goTo, openScreen, startDash, type Screen } from './chromium.ts';

const HTML = '<img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>';
/** Turns text round, is not seen, clears terminals. */
const CONTROLS = 'a\u202eb\u200bc\u001b[2Jd\u0000e\u0007f';
const SHOWN_CONTROLS = 'a⟨U+202E⟩b⟨U+200B⟩c⟨U+001B⟩[2Jd⟨U+0000⟩e⟨U+0007⟩f';
const LARGE = 'm'.repeat(3 * 1024 * 1024);
const MARKDOWN = `[click](javascript:document.title="run") ![x](http://127.0.0.1:1/pixel.png) ${HTML}`;

const content = {
  html: [{ type: 'text', text: HTML }],
  controls: [{ type: 'text', text: CONTROLS }],
  large: [{ type: 'text', text: LARGE }],
  markdown: [{ type: 'text', text: MARKDOWN }],
  media: [
    {
      type: 'image',
      data: btoa(
        `<svg xmlns="http://www.w3.org/2000/svg"><script>document.title='run'</script></svg>`,
      ),
      mimeType: 'image/svg+xml',
    },
    { type: 'image', data: btoa(HTML), mimeType: 'text/html' },
    { type: 'audio', data: btoa('no sound'), mimeType: 'audio/wav"><script>' },
    { type: 'resource_link', uri: 'javascript:document.title="run"', name: HTML },
    { type: 'resource_link', uri: 'file:///etc/passwd', name: CONTROLS },
  ],
} as const;

/** A server that says what is meant to hurt whoever shows it. */
function createHostileServer(): McpServer {
  const mcp = new McpServer(
    { name: HTML, version: CONTROLS },
    { capabilities: { tools: {}, logging: {}, resources: {}, prompts: {} } },
  );
  const { server } = mcp;
  const names = [
    ...Object.keys(content),
    HTML,
    CONTROLS,
    'n'.repeat(20_000),
    '../../api/recording',
    '__proto__',
  ];
  server.setRequestHandler('tools/list', () => ({
    tools: names.map((name) => ({
      name,
      title: name === 'html' ? HTML : undefined,
      description: `${MARKDOWN} ${CONTROLS} ${name === 'large' ? LARGE.slice(0, 300_000) : ''}`,
      annotations: { readOnlyHint: true },
      inputSchema: {
        type: 'object' as const,
        properties: {
          [HTML]: { type: 'string', description: HTML, default: CONTROLS },
          choice: { enum: [HTML, CONTROLS], title: HTML },
          __proto__: { type: 'string' },
        },
      },
    })),
  }));
  server.setRequestHandler('tools/call', async ({ params: { name } }) => {
    await server.sendLoggingMessage({ level: 'error', logger: HTML, data: { [HTML]: CONTROLS } });
    return { content: [...(content[name as keyof typeof content] ?? content.html)] };
  });
  server.setRequestHandler('resources/list', () => ({
    resources: [{ uri: 'javascript:document.title="run"', name: HTML, description: CONTROLS }],
  }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }));
  server.setRequestHandler('prompts/list', () => ({
    prompts: [
      { name: HTML, description: HTML, arguments: [{ name: HTML, description: CONTROLS }] },
    ],
  }));
  return mcp;
}

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function serveHostile(): Promise<Serving> {
  const serving = await serve({ create: createHostileServer });
  open.push(() => serving.close());
  return serving;
}

/** Runs a tool of the hostile server from its form. That it only reads is not believed. */
async function run(page: Page, { sseUrl }: Serving, name: string): Promise<void> {
  await goTo(page, 'tools', new URL(sseUrl).host, name);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('button', { name: 'Run it', exact: true }).click();
  await page.locator('.run .result, .run .long-text').first().waitFor();
}

/** Nothing of the server ran: no script, no request, no link that leads where it should not. */
async function expectSafe({ page }: Screen): Promise<void> {
  expect(await page.title()).toBe('Longwire');
  expect(await page.locator('main script, main iframe, main object, [onerror]').count()).toBe(0);
  const hrefs = await page
    .locator('a[href]')
    .evaluateAll((links) => links.map((link) => String(link.getAttribute('href'))));
  expect(hrefs.filter((href) => !/^(#|https?:\/\/)/.test(href))).toEqual([]);
}

describeInChromium('what hostile servers say', () => {
  it('is text, wherever it is shown', async () => {
    const serving = await serveHostile();
    await using dash = await startDash([serving.sseUrl]);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await page.getByRole('article').getByText('ready').waitFor();
    await page.getByRole('article').getByText(HTML).first().waitFor();
    await page.getByRole('article').getByText(SHOWN_CONTROLS).first().waitFor();
    for (const name of ['html', 'controls', 'markdown', 'media']) {
      await run(page, serving, name);
      await expectSafe(screen);
      const asMarkdown = page.getByRole('button', { name: 'As Markdown' });
      if ((await asMarkdown.count()) > 0) {
        await asMarkdown.first().click();
        await expectSafe(screen);
      }
    }
    await run(page, serving, 'controls');
    await page.locator('.result').getByText(SHOWN_CONTROLS).waitFor();
    for (const [view, text] of [
      ['overview', HTML],
      ['calls', 'media'],
      ['events', HTML],
      ['tools', SHOWN_CONTROLS],
      ['resources', HTML],
    ] as const) {
      await goTo(page, view);
      await page.locator('main').getByText(text).first().waitFor();
      await expectSafe(screen);
    }
    await goTo(page, 'events');
    await page.locator('.events-table .row-body .row').first().click();
    await page.locator('aside.panel').getByText('<script>').first().waitFor();
    await goTo(page, 'resources');
    for (const item of await page.locator('.items a').all()) {
      await item.click();
      await page.locator('aside.panel').waitFor();
      await expectSafe(screen);
    }
    await page.keyboard.press('Control+k');
    await page.getByRole('option', { name: '<img src=x' }).first().waitFor();
    await expectSafe(screen);
  });

  it('of megabytes is cut, says so, and does not spread the page', async () => {
    const serving = await serveHostile();
    await using dash = await startDash([serving.sseUrl]);
    await using screen = await openScreen(dash.url, { viewport: { width: 400, height: 800 } });
    const { page } = screen;
    await page.getByRole('article').getByText('ready').waitFor();
    await run(page, serving, 'large');
    const shown = page.locator('.run');
    await shown.getByText('Only the beginning is kept here, of 3').waitFor();
    const all = shown.getByRole('button', { name: /^Show all 1/ });
    await all.waitFor();
    expect((await shown.textContent())?.length).toBeLessThan(100_000);
    await all.click();
    await until(async () => ((await shown.textContent())?.length ?? 0) > 1_000_000);
    await goTo(page, 'calls');
    await page.locator('.calls-table .row', { hasText: 'large' }).first().click();
    await page.locator('aside.panel').getByText('mmmmm').first().waitFor();
    for (const view of VIEWS) {
      await goTo(page, view);
      const over = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect([view, over]).toEqual([view, 0]);
    }
  });
});

describeInChromium('who gets at the page', () => {
  it('nobody without the token, and whoever has it keeps it out of the address', async () => {
    await using dash = await startDash(['--demo']);
    const { origin } = new URL(dash.url);
    await using stranger = await openScreen(origin);
    const refused = await stranger.page.goto(origin);
    expect(refused?.status()).toBe(401);
    expect(await stranger.page.locator('body').textContent()).not.toContain('metrics');
    await using screen = await openScreen(dash.url);
    await screen.page.getByText('● live').waitFor();
    expect(screen.page.url()).toBe(`${origin}/`);
    // No script of the page, and so none of a server, reads what opens it.
    expect(await screen.page.evaluate('document.cookie')).toBe('');
  });

  it('no page of another origin, by a form, a request, a frame or a name of this machine', async () => {
    await using dash = await startDash(['--demo']);
    const { origin, port } = new URL(dash.url);
    const evil = createServer((_request, response) => {
      response
        .setHeader('content-type', 'text/html')
        .end('<title>evil</title><iframe name="f"></iframe>');
    }).listen(0, '127.0.0.1');
    await once(evil, 'listening');
    open.push(async () => {
      evil.closeAllConnections();
      evil.close();
    });
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await page.getByRole('article', { name: 'Server logs' }).getByText('ready').waitFor();

    // In the same browser, which has the cookie.
    const other = await page.context().newPage();
    await other.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`);
    const answered = other.waitForResponse((response) => response.url().startsWith(origin));
    await other.evaluate(`(() => {
      const form = document.body.appendChild(document.createElement('form'));
      Object.assign(form, { method: 'POST', action: '${origin}/api/call', enctype: 'text/plain', target: 'f' });
      form.appendChild(Object.assign(document.createElement('input'), {
        name: '{"server":"logs","method":"tools/call","confirmed":true,"name":"delete_logs","arguments":{"olderThanDays":1},"x":"',
        value: '"}',
      }));
      form.submit();
    })()`);
    expect([401, 403, 415]).toContain((await answered).status());
    const read = await other.evaluate(
      `fetch('${origin}/api/recording', { credentials: 'include' }).then(({ status }) => status, String)`,
    );
    expect(read).toMatch(/TypeError/);
    const streamed = await other.evaluate(`new Promise((resolve) => {
      const source = new EventSource('${origin}/api/stream', { withCredentials: true });
      source.onopen = () => resolve('open');
      source.onerror = () => resolve('error');
    })`);
    expect(streamed).toBe('error');
    // A name that leads to this machine is another host.
    const renamed = await other.goto(`http://rebound.localhost:${port}/`);
    expect(renamed?.status()).toBe(403);
    await goTo(page, 'calls');
    expect(await page.locator('.calls-table .row', { hasText: 'delete_logs' }).count()).toBe(0);
  });
});
