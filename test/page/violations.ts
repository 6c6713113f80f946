import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What hurts people who do not see, or who use no mouse. */
export async function violationsOf(page: Page, where: string): Promise<string[]> {
  // Not by a script element, which the policy of the page refuses.
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run(document)')) as AxeResults;
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${where}: ${id}, ${help}: ${html}\n${failureSummary}`),
  );
}
