import type { Dialect } from '../channels/channel.js';
import type { Introduction } from './eras.js';
import type { UrlTarget } from './target.js';
import type { Verdict } from './verdicts.js';

/** One question to one URL. */
export interface Step {
  url: URL;
  /** What is asked there: by POST with one of two requests, or by GET. */
  by: 'discover' | 'initialize' | 'stream';
  /** What is known of the server, if anything. */
  dialect: Dialect | undefined;
}

/**
 * What is asked of a target, in order. What is known from before is the only question; should it
 * have become wrong, it is forgotten.
 */
export function stepsFor(
  { url, candidates }: Pick<UrlTarget, 'url' | 'candidates'>,
  known: Verdict | undefined,
  { transport, introduction }: { transport: Dialect | undefined; introduction: Introduction },
): Step[] {
  const canAsk = ({ by }: Pick<Step, 'by'>): boolean =>
    by !== 'discover' || introduction.discover !== undefined;
  if (known !== undefined && (transport ?? known.dialect) === known.dialect && canAsk(known)) {
    const where = new URL(known.url);
    where.search = url.search;
    return [{ url: where, by: known.by, dialect: known.dialect }];
  }
  const steps = candidates.flatMap((candidate) =>
    candidate.by.map((by) => ({ url: candidate.url, by, dialect: transport })),
  );
  return steps.filter((step) => canAsk(step) && speaks(step, transport));
}

/** Whether a question can find a server that speaks this dialect. */
function speaks({ by }: Pick<Step, 'by'>, transport: Dialect | undefined): boolean {
  if (transport === undefined) return true;
  if (by !== 'stream') return transport === 'streamable-http';
  return transport === 'sse' || transport === 'tool-events';
}
