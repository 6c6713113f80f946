import type { Context } from '../context.js';
import { formatDuration } from '../durations.js';
import { sanitizeLine } from '../sanitize.js';
import type { Identity } from './login-record.js';
import type { FoundLogin } from './login-store.js';

/** What `--json` prints of a login. */
export interface LoginDocument {
  server: string;
  issuer: string;
  who: Identity | null;
  by: 'person' | 'program';
  scopes: string[];
  state: 'valid' | 'expired' | 'ended';
  expiresAt: string | null;
  /** Whether a new token comes by itself. */
  renewable: boolean;
  kept: { file: string; keychain: boolean };
}

/** A login without its secrets. */
export function loginDocument({ facts, file, inKeychain }: FoundLogin): LoginDocument {
  const { resource, issuer, identity, by, scope, expiresAt, isRenewable, hasEnded } = facts;
  const isOver = expiresAt !== undefined && expiresAt <= Date.now();
  return {
    server: resource,
    issuer,
    who: identity ?? null,
    by,
    scopes: scope?.split(' ').filter(Boolean) ?? [],
    state: hasEnded || (isOver && !isRenewable) ? 'ended' : isOver ? 'expired' : 'valid',
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    renewable: isRenewable,
    kept: { file, keychain: inKeychain },
  };
}

/** Who it is, in a few words. */
export function whoIs({ who, by }: Pick<LoginDocument, 'who' | 'by'>): string | undefined {
  const { name, email, sub } = who ?? {};
  if (by === 'program') return 'the program itself';
  if (name === undefined) return email ?? sub;
  return email === undefined ? name : `${name} <${email}>`;
}

/** When it expires, in words. */
export function expiryOf({ state, expiresAt, renewable }: LoginDocument): string {
  if (state === 'ended') return 'it has ended';
  if (state === 'expired') return 'expired; the next command renews it';
  const renewed = renewable ? ', then renewed by itself' : '';
  if (expiresAt === null) return renewable ? 'not told; renewed by itself' : 'not told';
  return `in ${formatDuration(Math.max(0, Date.parse(expiresAt) - Date.now()))}${renewed}`;
}

/** Prints a login for people. */
export function printLogin({ terminal }: Context, login: LoginDocument): void {
  const rows: [string, string][] = [
    ['server', login.server],
    ['issuer', login.issuer],
    ['who', whoIs(login) ?? 'not told'],
    ['scopes', login.scopes.join(' ') || 'not told'],
    ['expires', expiryOf(login)],
    ['kept', `${login.kept.file}${login.kept.keychain ? ', sealed by the keychain' : ''}`],
  ];
  for (const [label, value] of rows) {
    terminal.print(`${terminal.colors.dim(label.padEnd(10))}${sanitizeLine(value)}`);
  }
}
