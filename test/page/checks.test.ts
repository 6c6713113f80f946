import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startEverything } from '../support/peers.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { runCli } from '../support/run-cli.ts';
import { describeInChromium, goTo, openScreen, startDash } from './chromium.ts';
import { violationsOf } from './violations.ts';

const tool = 'get-structured-content';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-checks-'));
});
afterEach(() => removeFolder(cwd));

/** Says yes: the hints of a server that nobody trusts are not believed. */
async function agree(page: Page): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name: 'Run it', exact: true }).click();
}

describeInChromium('checks of a tool', () => {
  expectNothingLeftOpen();

  it('are saved after a run, run again, edited by hand, and removed', async () => {
    await using server = await startEverything({ mode: 'streamableHttp' });
    const file = join(cwd, 'longwire.checks.json');
    await using dash = await startDash([server.url], { cwd });
    await using screen = await openScreen(dash.url);
    const { page } = screen;
    await goTo(page, 'tools');
    await page.getByRole('link', { name: tool }).click();
    await page.getByLabel('location').selectOption('New York');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await agree(page);
    await page.getByRole('button', { name: 'Save as a check' }).click();
    const form = page.getByRole('region', { name: 'Save as a check' });
    await form.getByLabel('What is expected of the answer').selectOption('It has these members');
    const filled = form.getByLabel('It has these members');
    expect(JSON.parse(await filled.inputValue())).toMatchObject({ temperature: 33 });
    expect(await violationsOf(page, 'the form of a check')).toEqual([]);
    await filled.fill('{"temperature":');
    await form.getByRole('button', { name: 'Save', exact: true }).click();
    await form.getByText('This is not JSON yet.').waitFor();
    await filled.fill('{"temperature":33}');
    await form.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved as a check.').waitFor();
    const check = {
      server: server.url,
      tool,
      arguments: { location: 'New York' },
      expect: { has: { temperature: 33 } },
    };
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ checks: [check] });

    const checks = page.getByRole('region', { name: 'Checks of this tool' });
    await checks.getByRole('button', { name: 'Run', exact: true }).click();
    await agree(page);
    await checks.getByText('✓held').waitFor();

    const edited = { ...check, expect: { has: { temperature: 34 } } };
    await writeFile(file, JSON.stringify({ checks: [check, edited] }));
    await page.reload();
    await checks.getByText('2 checks').waitFor();
    await checks.getByRole('button', { name: 'Run all' }).click();
    await agree(page);
    await checks.getByText('✓held').waitFor();
    await agree(page);
    await checks.getByText('✗not held').waitFor();
    await checks.getByText('temperature is 33, expected 34').waitFor();
    expect(await violationsOf(page, 'checks that ran')).toEqual([]);
    const { code, stdout } = await runCli(['check', file, '--yes'], { cwd });
    expect([code, stdout]).toEqual([1, expect.stringContaining('temperature is 33, expected 34')]);

    const remove = checks.getByRole('button', { name: 'Remove' });
    await writeFile(file, JSON.stringify({ checks: [edited] }));
    await remove.first().click();
    await checks.getByText('1 check', { exact: true }).waitFor();
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ checks: [edited] });
    await remove.first().click();
    await checks.waitFor({ state: 'detached' });
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ checks: [] });
    await dash.interrupt();
  });
});
