import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { longwire } from './clients.mjs';
import { HOPELESS } from './groups/hopeless.mjs';
import { GROUPS } from './groups/index.mjs';
import { columnsIn, PAGE, pageOf } from './page.mjs';
import { runHabits } from './run-habits.mjs';

/** What is never right, whatever a server does. */
const NEVER = ['hangs', 'wrong result', 'runs twice'];

const TIMEOUT_MS = 300_000;

test('every habit has a name of its own, and what is said of one is said of it', () => {
  const names = GROUPS.flatMap(({ habits }) => habits.map(({ name }) => name));
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect([...HOPELESS].filter((name) => !names.includes(name))).toEqual([]);
});

test('the page says what Longwire does', { timeout: TIMEOUT_MS }, async () => {
  const results = await runHabits(longwire);
  const page = await readFile(PAGE, 'utf8');
  const [former, ...others] = columnsIn(page);
  const all = [...results].map(([habit, { outcome, detail }]) => ({
    habit: habit.name,
    outcome,
    detail,
    page: former?.outcomeOf(habit),
  }));
  expect(all.filter(({ outcome }) => NEVER.includes(outcome))).toEqual([]);
  expect(all.filter((one) => one.outcome !== one.page)).toEqual([]);
  const column = {
    title: longwire.name,
    outcomeOf: (habit: (typeof GROUPS)[number]['habits'][number]) =>
      results.get(habit)?.outcome ?? '',
  };
  // `npm run habits` writes it.
  expect(page).toBe(await pageOf([column, ...others]));
});
