import {
  ConfigError,
  ConnectError,
  LongwireError,
  type Certainty,
  type ErrorCode,
  type ProbeResult,
} from '@longwire/client';
import { CommandError } from './command-error.js';
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import type { Credentials } from './headers.js';
import { LoginError } from './login/login-error.js';
import { sanitizeLine } from './sanitize.js';
import type { Terminal } from './terminal.js';
import { withoutLastWords } from './trace/last-words.js';

/** How many causes are followed: an error may be its own cause. */
const maxCauses = 6;

/**
 * Prints on one line of stderr what went wrong and what to do; for a configuration, one line for each
 * problem. With `--verbose` also the code, the certainty, what was tried and the causes, each said once.
 * `server` names the server if there are several.
 */
export function reportError(
  error: unknown,
  exitCode: ExitCode,
  context: Pick<Context, 'terminal' | 'requests'> & { server?: string },
): void {
  const { terminal, requests, server } = context;
  if (exitCode === 130) return tellInterruption(terminal, 'Interrupted', error);
  const hint = hintFor(error, requests.credentials);
  const whose = server === undefined ? '' : `${server}: `;
  const isList = error instanceof ConfigError && error.problems.length > 1;
  const summary = shownSummary(error, terminal);
  const [line = '', ...more] = isList ? error.message.split('\n') : [join(summary, hint)];
  terminal.error(`${terminal.remarkColors.red('error:')} ${sanitizeLine(whose + line)}`);
  for (const each of more) terminal.error(`  ${sanitizeLine(each)}`);
  let said = line;
  const detailOnce = (what: string, detail: string): void => {
    if (!said.includes(what)) terminal.detail(detail);
    said += `\n${what}`;
  };
  if (error instanceof LongwireError) {
    terminal.detail(`  code ${error.code}, certainty ${error.certainty}`);
    for (const tried of triedOf(error)) detailOnce(tried.outcome, describeTried(tried));
  }
  let cause = causeOf(error);
  for (let depth = 0; cause !== undefined && depth < maxCauses; depth++) {
    const why = shownSummary(cause, terminal);
    detailOnce(why, `  because: ${sanitizeLine(why)}`);
    cause = causeOf(cause);
  }
}

/** Says that a command was interrupted, and always what it has left on a server: a task goes on. */
export function tellInterruption(terminal: Terminal, how: string, error: unknown): void {
  if (!(error instanceof CommandError) || error.taskId === undefined) {
    return terminal.remark(`${how}.`);
  }
  terminal.error(sanitizeLine(`${how}: ${error.message}.`));
}

/** What went wrong, without what a process wrote where that is shown already. */
function shownSummary(error: unknown, { verbose }: Pick<Terminal, 'verbose'>): string {
  return verbose ? withoutLastWords(summaryOf(error)) : summaryOf(error);
}

/** What `--json` prints of a failure. */
export interface ErrorDocument {
  /** Why, if the failure is one of the library's or the command's. */
  code?: ErrorCode;
  certainty?: Certainty;
  message: string;
  /** What to try. */
  hint?: string;
  /** The task that the call had become. */
  taskId?: string;
  /** What was tried to find a server. */
  tried?: ProbeResult[];
}

/** The error for programs; after an interruption it is `aborted`, regardless of what was thrown. */
export function errorAsJson(
  error: unknown,
  {
    redactor,
    requests,
    isInterrupted = false,
  }: Pick<Context, 'redactor' | 'requests'> & { isInterrupted?: boolean },
): ErrorDocument {
  const shown = (text: string): string => redactor.message(sanitizeLine(text));
  if (!(error instanceof LongwireError)) {
    if (isInterrupted) return { code: 'aborted', message: 'interrupted' };
    return { message: shown(summaryOf(error)) };
  }
  const { certainty, taskId } = error;
  const hint = isInterrupted ? undefined : hintFor(error, requests.credentials);
  const tried = triedOf(error).map(({ url, outcome }) => ({
    url: shown(url),
    outcome: shown(outcome),
  }));
  return {
    code: isInterrupted ? 'aborted' : error.code,
    certainty,
    message: shown(summaryOf(error)),
    ...(hint !== undefined && hint !== '' && { hint: shown(hint) }),
    ...(taskId !== undefined && { taskId: shown(taskId) }),
    ...(tried.length > 0 && { tried }),
  };
}

/** One thing that was tried to find a server, as a detail. */
export function describeTried({ url, outcome }: ProbeResult): string {
  // Most outcomes name the URL, too.
  return `  tried ${sanitizeLine(`${url}: ${outcome.replace(` ${url} `, ' ')}`)}`;
}

/** What to try, as options of the command line if the library's hint is for programs. */
function hintFor(error: unknown, credentials: Credentials): string | undefined {
  if (!(error instanceof LongwireError) || error instanceof CommandError) return undefined;
  const login = loginErrorIn(error);
  if (login !== undefined) return login.hint;
  switch (error.code) {
    case 'unauthorized':
    case 'forbidden':
      return credentialsHint[credentials];
    case 'connect-failed':
      // If a program cannot be started, the library says what to check.
      return error.hint ?? 'check the target, and that the server runs';
    case 'connect-timeout':
      return 'check the target, or allow more with --timeout';
    case 'not-mcp':
      return error.hint ?? 'is this the address of an MCP server?';
    case 'timeout':
      return 'a longer --timeout allows more';
    case 'deadline':
      return 'a longer --deadline allows more';
    case 'limit-exceeded':
      return join(
        'the server sent more than is taken at a time: ask it for less',
        checkFirst(error),
      );
    case 'queue-full':
      return 'try again when fewer calls are under way';
    default:
      return checkFirst(error) || error.hint;
  }
}

const credentialsHint: Readonly<Record<Credentials, string>> = {
  header: 'the credentials of --header were sent: check them',
  configured: 'the credentials of the configuration were sent: check them',
  login: 'the login was sent, and it does not suffice: longwire whoami says which it is',
  key: 'MCP_API_KEY was sent: check it, or give other credentials with --header',
  'key-withheld':
    "MCP_API_KEY was not sent, for it goes only to the origin of MCP_SERVER_URL: set that to this server, or give --header 'Authorization: Bearer …'",
  none: "set MCP_SERVER_URL and MCP_API_KEY, or give --header 'Authorization: Bearer …'",
};

function join(...parts: (string | undefined)[]): string {
  return parts.filter(Boolean).join('; ');
}

/** A call that may have run must not be repeated blindly. */
function checkFirst({ certainty }: LongwireError): string {
  return certainty === 'outcome-unknown'
    ? 'it may have run, so check on the server before calling again'
    : '';
}

/** What went wrong, without the hint of the library. */
export function summaryOf(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  const login = loginErrorIn(error);
  if (login !== undefined) return login.summary;
  if (error instanceof LongwireError) return error.summary || String(error.code ?? error.name);
  if (!(error instanceof Error)) return String(error);
  // A network error may have only a code.
  return error.message || ('code' in error ? String(error.code) : error.name);
}

/** Why somebody has to log in, if that is why it failed; the rest says no more. */
function loginErrorIn(error: unknown): LoginError | undefined {
  let cause = error;
  for (let depth = 0; cause !== undefined && depth < maxCauses; depth++) {
    if (cause instanceof LoginError) return cause;
    cause = causeOf(cause);
  }
  return undefined;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? (error.cause ?? undefined) : undefined;
}

function triedOf(error: LongwireError): readonly ProbeResult[] {
  return error instanceof ConnectError ? error.tried : [];
}
