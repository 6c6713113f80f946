import { hasEndedEarly } from '../error-facts.js';
import { ConnectError, HttpStatusError, LongwireError, type ProbeResult } from '../errors.js';
import { displayUrl } from '../http/display-url.js';
import { isPageError } from '../http/page-error.js';
import { isElsewhere, isUnauthorized } from './detect.js';
import type { FirstMethod, FirstRequests } from './eras.js';
import type { Target, UrlTarget } from './target.js';

/** The error that helps most: refused credentials, then a failing server, then one with a hint. */
export function mostHelpful(errors: readonly LongwireError[]): LongwireError | undefined {
  return (
    errors.findLast(isUnauthorized) ??
    errors.findLast(isFailing) ??
    errors.find(({ hint }) => hint !== undefined) ??
    errors.at(-1)
  );
}

/** Whether a server was there, and could not answer. */
function isFailing(error: LongwireError): boolean {
  if (error instanceof HttpStatusError) return error.status >= 500;
  return error.code === 'connect-timeout' || hasEndedEarly(error);
}

/** Whether a page for people is there, and nothing else answered. */
export function isWebPage(errors: readonly LongwireError[]): boolean {
  const isBroken = (error: LongwireError): boolean =>
    error instanceof HttpStatusError && error.status === 500;
  return (
    errors.some(isPageError) && errors.every((error) => isElsewhere(error) && !isBroken(error))
  );
}

/** The error for it. */
export function webPage({ url, candidates }: UrlTarget): LongwireError {
  const usual = new URL('/mcp', url);
  const isTried = candidates.some((candidate) => candidate.url.href === usual.href);
  const hint = isTried
    ? 'ask whoever runs it for the address of its MCP server'
    : `the server may be at ${usual.href}`;
  return new LongwireError(`${displayUrl(url)} is a web page, not an MCP server`, {
    code: 'not-mcp',
    certainty: 'refused',
    hint,
  });
}

/** The error of a dial. `isClear`: the cause alone says what is the matter, whatever was tried. */
export function connectError(
  { target, firstRequests: { methods } }: { target: Target; firstRequests: FirstRequests },
  {
    tried,
    cause,
    isClear = false,
  }: { tried: ProbeResult[]; cause: LongwireError; isClear?: boolean },
): ConnectError {
  const code = isElsewhere(cause) ? 'not-mcp' : cause.code;
  const what = tried.length > 1 ? `tried ${summaryOf(tried)}` : cause.summary;
  const isSaid = tried.length < 2 && code === 'connect-failed';
  const where = target.kind === 'url' ? displayUrl(target.url) : target.name;
  const summary = isSaid ? what : `could not connect to ${where}: ${what}`;
  return new ConnectError(isClear ? cause.summary : summary, {
    code,
    hint: cause.hint ?? (code === 'not-mcp' ? notMcpHint(methods) : undefined),
    cause,
    tried,
  });
}

/** The probes in one line, with each outcome once. */
function summaryOf(tried: readonly ProbeResult[]): string {
  const outcomes = new Map<string, { said: string; requests: Set<string> }>();
  for (const { url, outcome } of tried) {
    const method = ['GET', 'POST'].find((name) => outcome.startsWith(`${name} ${url} `));
    const request = method === undefined ? url : `${method} ${url}`;
    const said =
      method === undefined
        ? outcome.replace(` at ${url} `, ' ')
        : outcome.slice(request.length + 1);
    // Many servers repeat the request in a page; each probe waits a little less than the one before.
    const key = said
      .replaceAll(`${method} ${new URL(url).pathname}`, '')
      .replace(/ within \d+ ms$/, '');
    const known = outcomes.get(key);
    if (known === undefined) outcomes.set(key, { said, requests: new Set([request]) });
    else known.requests.add(request);
  }
  const parts = [...outcomes.values()].map(
    ({ said, requests }) => `${[...requests].join(', ')} (${said})`,
  );
  return parts.join(', then ');
}

function notMcpHint(methods: readonly FirstMethod[]): string {
  if (methods.includes('initialize')) return 'is this the address of an MCP server?';
  return 'leave out protocol if the server may speak an older version';
}
