import { chooseServer } from '../choose-servers.js';
import type { AddCommand } from '../context.js';
import { parseDuration } from '../durations.js';
import { targetArgument } from '../options.js';

/** How long an event stream is listened to: longer than servers' heartbeats are apart. */
const defaultWait = '20s';

/** `longwire doctor [target]` */
export const addDoctor: AddCommand = (program, run) => {
  program
    .command('doctor')
    .description('find out what is broken on the way to a server, and what to do')
    .argument(...targetArgument)
    .option('--wait <duration>', 'listen to its event stream for so long', defaultWait)
    .option('--call', 'call a tool that only reads and needs no arguments, too')
    .addHelpText(
      'after',
      `
Looks at each layer on the way: proxy, name, address, TLS, HTTP, the
server, its lists, its event stream; or the program after --. The first broken
one decides the exit code: 3 up to the server, 4 login, 6 event stream.

Examples:
  $ longwire doctor https://mcp.example.com/mcp
  $ longwire doctor http://127.0.0.1:3001 --wait 60s --json`,
    )
    .action((word: string | undefined, given: { wait: string; call?: boolean }) =>
      run(async (context) => {
        const waitMs = parseDuration(given.wait, '--wait');
        const server = await chooseServer(word, context);
        const { examine } = await import('../doctor/examine.js');
        return await examine(context, server, { waitMs, calls: given.call === true });
      }),
    );
};
