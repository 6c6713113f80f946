import type { Dialect } from '../channels/channel.js';

/** What is known of a target: how its server talks, and where. */
export interface Verdict {
  dialect: Dialect;
  url: URL;
}

const verdicts = new Map<string, Verdict>();

/** What was found out about a target earlier in this process. */
export function rememberedVerdict(target: URL): Verdict | undefined {
  return verdicts.get(target.href);
}

/** Remembers for the rest of the process, so that the next connection need not probe. */
export function rememberVerdict(target: URL, verdict: Verdict): void {
  verdicts.set(target.href, verdict);
}

/** Forgets, because a handshake failed: the server may have been replaced by another kind. */
export function forgetVerdict(target: URL): void {
  verdicts.delete(target.href);
}
