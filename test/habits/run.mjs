/**
 * `npm run habits -- [--client NAME] [--habit WORDS]`: tries every habit of servers with Longwire and
 * the official clients, and writes `docs/interop.md` from what happened.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formerClient, longwire, officialClient } from './clients.mjs';
import { GROUPS } from './groups/index.mjs';
import { PAGE, pageOf } from './page.mjs';
import { runHabits } from './run-habits.mjs';

const { values } = parseArgs({
  options: {
    client: { type: 'string', multiple: true, default: [] },
    habit: { type: 'string', multiple: true, default: [] },
  },
});

// A client that leaves a rejection unhandled is not to end the others.
process.on('unhandledRejection', () => {});
process.on('uncaughtException', (error) => {
  console.error(`nobody caught: ${String(error)}`);
});

const clients = [longwire, await officialClient(), await formerClient()].filter(
  ({ name }) => values.client.length === 0 || values.client.includes(name),
);
const groups = GROUPS.map(({ habits, ...group }) => ({
  ...group,
  habits: habits.filter(
    ({ name }) =>
      values.habit.length === 0 ||
      values.habit.some((words) => name.includes(words) || group.title.includes(words)),
  ),
})).filter(({ habits }) => habits.length > 0);
const columns = [];
for (const client of clients) {
  const results = await runHabits(client, groups);
  for (const { title, habits } of groups) {
    console.log(`\n${client.name}: ${title}`);
    for (const habit of habits) {
      const { outcome = '–', detail = '' } = results.get(habit) ?? {};
      console.log(`  ${outcome.padEnd(14)} ${habit.name}${detail && ` — ${detail}`}`);
    }
  }
  const title = client === longwire ? client.name : `\`${client.name}\` ${client.version}`;
  columns.push({
    title,
    outcomeOf: (/** @type {import('./server.mjs').Habit} */ habit) =>
      results.get(habit)?.outcome ?? '–',
  });
}
if (values.client.length === 0 && values.habit.length === 0) {
  writeFileSync(PAGE, await pageOf(columns));
  console.log(`\nWritten to ${PAGE}`);
}
// The other clients leave connections open.
process.exit();
