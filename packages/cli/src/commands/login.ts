import { LongwireError } from '@longwire/client';
import { chooseServer } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { AddCommand, Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { findChallenge } from '../login/find-challenge.js';
import { logIn, type LoggedIn, type LogInOptions } from '../login/log-in.js';
import { LoginError } from '../login/login-error.js';
import { parseRedirect } from '../login/loopback.js';
import { LoginStore } from '../login/login-store.js';
import { loginDocument, whoIs } from '../login/shown-login.js';
import { loginTargetArgument } from '../options.js';
import { networkOf } from '../network.js';
import { sanitizeLine } from '../sanitize.js';
import { closeClients, connectClients } from '../session.js';
import { createServerClient, hasOwnCredentials } from '../target-client.js';
import type { Server } from '../target.js';

const examples = `
Examples:
  $ longwire login https://mcp.example.com/mcp
  $ longwire login https://mcp.example.com/mcp --device
  $ SECRET=… longwire login github --client-credentials \\
      --client-id ci --client-secret-env SECRET`;

/** As the words of the command line are read. */
interface Words {
  browser: boolean;
  device?: boolean;
  scope?: string;
  clientId?: string;
  clientSecretEnv?: string;
  clientCredentials?: boolean;
  redirect?: string;
  unadvertisedPkce?: boolean;
}

/** `longwire login [target]` */
export const addLogin: AddCommand = (program, run) => {
  program
    .command('login')
    .description('log in to a server in the browser, for every later command')
    .argument(...loginTargetArgument)
    .option('--device', 'by a code that is entered on any device')
    .option('--no-browser', 'print the address, and paste what the browser comes back to')
    .option('--scope <scopes>', 'ask for these scopes (default: those that the server names)')
    .option(
      '--client-id <id>',
      'a client that is registered there, or the https URL of its metadata',
    )
    .option('--client-secret-env <name>', 'the variable that holds the secret of that client')
    .option('--client-credentials', 'in the name of that client itself, without a person')
    .option('--redirect <url>', 'that of the client, such as http://localhost:8080/callback')
    .option('--unadvertised-pkce', 'the issuer need not say that it protects codes by PKCE')
    .addHelpText('after', examples)
    .action((word: string | undefined, words: Words) =>
      run((context) => login(context, word, words)),
    );
};

async function login(given: Context, word: string | undefined, words: Words): Promise<ExitCode> {
  const options = readWords(words, given.env);
  const server = await chooseServer(word, given);
  const target = urlOf(server, given);
  const { terminal, requests, interruptions } = given;
  const context = withoutKey(given);
  const challenged = await findChallenge(context, server);
  if (challenged === undefined) {
    terminal.remark('The server has no login: it answers without one.');
    if (given.options.json) terminal.json(null);
    return 0;
  }
  const loggedIn = await logIn(context, challenged, {
    ...options,
    target,
    network: networkOf(context, server),
  });
  await checkToken(context, server, loggedIn);
  requests.credentials = 'none';
  const store = new LoginStore(context);
  const { login: made } = loggedIn;
  const file = store.fileOf(made.resource);
  const found = await store
    .locked({ file }, () => store.write(made), interruptions)
    .catch((cause: unknown): never => {
      interruptions.signal.throwIfAborted();
      const why = sanitizeLine(cause instanceof Error ? cause.message : String(cause));
      if (cause instanceof LongwireError) throw cause;
      throw new LoginError(`the login could not be kept: ${why}`, { cause });
    });
  const document = loginDocument(found);
  if (given.options.json) terminal.json(document);
  else {
    const who = whoIs(document);
    const as = who === undefined ? '' : ` as ${who}`;
    terminal.print(sanitizeLine(`Logged in to ${document.server} at ${document.issuer}${as}.`));
  }
  if (!found.inKeychain) {
    terminal.remark(
      sanitizeLine(`There is no keychain here: the token is in ${file}, for you alone.`),
    );
  }
  if (context !== given && hasOwnCredentials(target, given, undefined)) {
    terminal.remark('As long as MCP_API_KEY is set, it is sent to this server instead.');
  }
  return 0;
}

/** @throws LongwireError (usage) for options that do not go together. */
function readWords(words: Words, env: Context['env']): LogInOptions {
  const { browser, device = false, scope, clientId, clientSecretEnv } = words;
  const { clientCredentials = false, redirect } = words;
  const ways = { '--device': device, '--no-browser': !browser };
  const [one, two] = Object.entries({ ...ways, '--client-credentials': clientCredentials })
    .filter(([, isGiven]) => isGiven)
    .map(([name]) => name);
  if (two !== undefined) throw usageError(`${one} and ${two} are two ways: leave one of them out`);
  if (clientSecretEnv !== undefined && clientId === undefined) {
    throw usageError('--client-secret-env is the secret of a client: give its --client-id, too');
  }
  const clientSecret = clientSecretEnv === undefined ? undefined : env[clientSecretEnv];
  if (clientSecretEnv !== undefined && !clientSecret) {
    throw usageError(`--client-secret-env ${clientSecretEnv}: that is not set`);
  }
  if (clientCredentials && (clientId === undefined || clientSecret === undefined)) {
    throw usageError('--client-credentials needs --client-id and --client-secret-env');
  }
  if (scope?.trim() === '') throw usageError('--scope is empty: leave it out for the usual ones');
  return {
    grant: device ? 'device' : clientCredentials ? 'program' : 'browser',
    byHand: !browser,
    scope: scope?.trim(),
    clientId,
    clientSecret,
    ...(redirect !== undefined && { redirect: parseRedirect(redirect) }),
    allowUnadvertisedPkce: words.unadvertisedPkce ?? false,
  };
}

/**
 * The URL of a server that one can log in to.
 *
 * @throws LongwireError (usage) for a command, and where other credentials are sent.
 */
function urlOf({ target, config }: Server, context: Context): string {
  if (typeof target !== 'string') {
    throw usageError('a command has no login: give it what it needs by --env NAME=value');
  }
  const configured = config?.options.headers;
  if (hasOwnCredentials(target, withoutKey(context), undefined)) {
    throw usageError(
      'the credentials of --header would be sent instead of a login: leave them out',
    );
  }
  if (hasOwnCredentials(target, withoutKey(context), configured)) {
    throw usageError(
      `${config?.place ?? 'the configuration'} has credentials for this server, which are sent instead of a login: remove them first`,
    );
  }
  return target;
}

/** The key of the environment must not hide that a login is wanted. */
function withoutKey(context: Context): Context {
  const { apiKey, ...environment } = context.environment;
  return apiKey === undefined ? context : { ...context, environment };
}

/** @throws LoginError where the server refuses the new token. */
async function checkToken(
  context: Context,
  server: Server,
  { auth, login: { issuer, resource } }: LoggedIn,
): Promise<void> {
  const client = await createServerClient(context, server, {
    wrapAuth: () => ({ headers: auth.headers }),
  });
  try {
    await connectClients(context, [client]);
  } catch (error) {
    context.interruptions.signal.throwIfAborted();
    if (!(error instanceof LongwireError) || error.code !== 'unauthorized') throw error;
    throw new LoginError(`${resource} refuses the token that ${sanitizeLine(issuer)} gave`, {
      cause: error,
    });
  } finally {
    await closeClients([client]);
  }
}
