import type { Dialect } from '../channels/channel.js';
import { place } from '../channels/place.js';
import type { Step } from './steps.js';

/** What is known of a target: how its server talks, where, and what it was asked to find out. */
export interface Verdict {
  dialect: Dialect;
  by: Step['by'];
  url: URL;
}

const MAX_VERDICTS = 1000;

/** By target, without its query: that may hold a secret, and says nothing of the dialect. */
const verdicts = new Map<string, Verdict>();

/** What was found out about a target earlier in this process. */
export function rememberedVerdict(target: URL): Verdict | undefined {
  return verdicts.get(place(target));
}

/** Remembers for the rest of the process, so that the next connection need not probe. */
export function rememberVerdict(target: URL, { dialect, by, url }: Verdict): void {
  const [oldest] = verdicts.keys();
  if (verdicts.size >= MAX_VERDICTS && oldest !== undefined) verdicts.delete(oldest);
  const found = new URL(url);
  found.search = '';
  verdicts.set(place(target), { dialect, by, url: found });
}

/** Forgets, because a handshake failed: the server may have been replaced by another kind. */
export function forgetVerdict(target: URL): void {
  verdicts.delete(place(target));
}
