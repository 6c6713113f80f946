import type { AddCommand, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { LoginStore } from '../login/login-store.js';
import { meantLogin } from '../login/meant-login.js';
import { expiryOf, loginDocument, printLogin, whoIs } from '../login/shown-login.js';
import { targetArgument } from '../options.js';
import { sanitizeLine } from '../sanitize.js';
import { renderTable } from '../table.js';

/** `longwire whoami [target]` */
export const addWhoami: AddCommand = (program, run) => {
  program
    .command('whoami')
    .description('the logins: who, at which issuer, until when, and where they are kept')
    .argument(targetArgument[0], 'of this server alone (default: all)')
    .addHelpText('after', '\nExample:\n  $ longwire whoami https://mcp.example.com/mcp --json')
    .action((word: string | undefined) => run((context) => whoami(context, word)));
};

async function whoami(context: Context, word: string | undefined): Promise<ExitCode> {
  const { terminal, options } = context;
  const store = new LoginStore(context);
  if (word !== undefined) {
    const found = await meantLogin(context, store, word);
    const login = loginDocument(found.login);
    if (options.json) terminal.json(login);
    else printLogin(context, login);
    return 0;
  }
  const logins = store.list().map((login) => loginDocument(login));
  if (options.json) terminal.json(logins);
  else if (logins.length === 0) terminal.remark('There is no login. To log in: longwire login URL');
  else {
    const rows = logins.map((login) =>
      [login.server, whoIs(login) ?? '', login.issuer, expiryOf(login)].map((cell) =>
        sanitizeLine(cell),
      ),
    );
    terminal.print(renderTable(['server', 'who', 'issuer', 'expires'], rows, terminal));
  }
  return 0;
}
