import { createHash } from 'node:crypto';
import type { Dialect } from '../channels/channel.js';
import type { Question } from './eras.js';
import type { Step } from './steps.js';

/** What is known of a target: how its server talks, where, and what it was asked to find out. */
export interface Verdict {
  dialect: Dialect;
  by: Step['by'];
  url: URL;
  /** It is not what was hoped for, and there is no better. */
  isSecondBest: boolean;
}

/** What is looked for. What is found may depend on all of it. */
export interface Wanted {
  /** The target. */
  url: URL;
  /** The one dialect to speak. */
  transport: Dialect | undefined;
  /** What may be asked by POST, the preferred first. */
  questions: readonly Question[];
}

const MAX_VERDICTS = 1000;

/** By the digest of what is wanted: the query is part of it, and may hold a secret. */
const verdicts = new Map<string, Verdict>();

/** What was found out about a target earlier in this process. */
export function rememberedVerdict(wanted: Wanted): Verdict | undefined {
  return verdicts.get(digestOf(wanted));
}

/** Remembers for the rest of the process, so that the next connection need not probe. */
export function rememberVerdict(wanted: Wanted, { url, ...verdict }: Verdict): void {
  const [oldest] = verdicts.keys();
  if (verdicts.size >= MAX_VERDICTS && oldest !== undefined) verdicts.delete(oldest);
  const found = new URL(url);
  found.search = '';
  verdicts.set(digestOf(wanted), { ...verdict, url: found });
}

/** Forgets, because a handshake failed: the server may have been replaced by another kind. */
export function forgetVerdict(wanted: Wanted): void {
  verdicts.delete(digestOf(wanted));
}

function digestOf({ url, transport, questions }: Wanted): string {
  const text = JSON.stringify([url.href, transport, questions]);
  return createHash('sha256').update(text).digest('base64');
}
