import { expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { describeInChromium, openScreen, startDash, type Dash } from './chromium.ts';

const signal = (dash: Dash, name: NodeJS.Signals): void =>
  void process.kill(dash.command.pid, name);

describeInChromium('whether the page is live', () => {
  it('a server that was started anew: the page says so, and goes on when its address was opened', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await page.getByText('● live').waitFor();
    await page.getByRole('article').nth(2).waitFor();
    await dash.interrupt();
    await page.getByText('Not live.').waitFor();
    // What was there is still shown.
    expect(await page.getByRole('article').count()).toBe(3);

    const { port } = new URL(dash.url);
    await using again = await startDash(['--demo', '--port', port]);
    await page.getByText('was started anew').waitFor();
    const other = await page.context().newPage();
    await other.goto(again.url);
    await other.getByText('● live').waitFor();
    // The first page has its cookie now, and needs nobody.
    await page.getByText('● live').waitFor();
    await page.getByRole('article').nth(2).getByText('ready').waitFor();
    await page.getByText('Not live.').waitFor({ state: 'detached' });
  });

  it('a connection that is dead without a word', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await page.getByText('● live').waitFor();
    // Its sockets stay open, and it says nothing.
    signal(dash, 'SIGSTOP');
    await page.getByText(/Its server was silent for \d/).waitFor({ timeout: 60_000 });
    signal(dash, 'SIGCONT');
    await page.getByText('● live').waitFor();
  });

  it('a machine that slept for an hour', async () => {
    await using dash = await startDash(['--demo']);
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await page.getByText('● live').waitFor();
    await page.clock.install();
    await page.reload();
    await page.getByText('● live').waitFor();
    let streams = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/api/stream')) streams++;
    });
    await page.clock.fastForward('01:00:00');
    await until(() => streams === 1);
    await page.getByText('● live').waitFor();
  });
});
