/**
 * `npm run load -- page [--seconds N]`: the page of `longwire dash` while much happens.
 *
 * `npm run load -- tasks [--tasks N] [--running N]`: very many tasks, and impatient clients.
 *
 * `npm run load -- [--sessions N] [--busy N]`: one server process with very many sessions, and with
 * sessions that vanish. Says what a session costs and how late the server is; exit code 1 where a
 * promise is broken: a session is left, a result is lost or wrong, memory does not return.
 */
import { abandonment } from './abandonment.mjs';
import { readLoadArguments, USAGE } from './arguments.mjs';
import { crowd } from './crowd.mjs';
import { page, readPageArguments } from './page/index.mjs';
import { Report } from './report.mjs';
import { readTasksArguments, tasks } from './tasks/index.mjs';

async function main() {
  const [first, ...others] = process.argv.slice(2);
  const report = new Report();
  let request;
  try {
    if (first === 'page' || first === 'tasks') {
      if (first === 'page') await page(readPageArguments(others), report);
      else await tasks(readTasksArguments(others), report);
      report.end();
      return report.isKept ? 0 : 1;
    }
    request = readLoadArguments(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (request === 'help') {
    console.log(USAGE);
    return 0;
  }
  await crowd(request, report);
  await abandonment(request, report);
  report.end();
  return report.isKept ? 0 : 1;
}

process.exitCode = await main();
