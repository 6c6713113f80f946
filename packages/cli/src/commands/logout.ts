import type { AddCommand, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { meantLogin } from '../login/meant-login.js';
import { LoginStore } from '../login/login-store.js';
import { loginFlows } from '../login/login-flows.js';
import { loginTargetArgument } from '../options.js';
import { networkOf } from '../network.js';
import { sanitizeLine } from '../sanitize.js';
import { summaryOf } from '../report-error.js';

/** `longwire logout [target]` */
export const addLogout: AddCommand = (program, run) => {
  program
    .command('logout')
    .description('end a login: revoke its tokens where the issuer can, and forget them')
    .argument(...loginTargetArgument)
    .addHelpText('after', '\nExample:\n  $ longwire logout https://mcp.example.com/mcp')
    .action((word: string | undefined) => run((context) => logout(context, word)));
};

async function logout(context: Context, word: string | undefined): Promise<ExitCode> {
  const { terminal, options, redactor, interruptions } = context;
  const store = new LoginStore(context);
  const { login, server } = await meantLogin(context, store, word);
  const network = networkOf(context, server);
  const { resource, issuer } = login.facts;
  const end = async (): Promise<{ revoked: boolean; why: string | undefined }> => {
    const flows = loginFlows(store, login, {
      network,
      onSecrets: ({ secrets: { client, tokens } }) => {
        redactor.add(client.client_secret);
        redactor.add(tokens?.access_token);
        redactor.add(tokens?.refresh_token);
      },
      onUnkept: () => undefined,
    });
    try {
      return { revoked: await flows.revoke(), why: undefined };
    } catch (error) {
      return { revoked: false, why: summaryOf(error) };
    } finally {
      store.remove(login);
    }
  };
  const { revoked, why } = await store.locked(login, end, interruptions);
  if (options.json) terminal.json({ server: resource, issuer, revoked });
  else terminal.print(sanitizeLine(`Logged out of ${resource}.`));
  const reason = why === undefined ? 'it revokes none' : why.replace('authorization failed: ', '');
  if (!revoked) {
    terminal.remark(
      sanitizeLine(`The tokens are forgotten here, and not revoked at ${issuer}: ${reason}.`),
    );
  }
  return 0;
}
