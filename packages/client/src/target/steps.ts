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
 * What is asked of a target, in order. What is known from before is all that is asked; should it
 * have become wrong, it is forgotten. A server that was asked by POST may have come back in the
 * other era.
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
    return inEitherEra(known.by)
      .map((by) => ({ url: where, by, dialect: known.dialect }))
      .filter(canAsk);
  }
  const steps = candidates.flatMap((candidate) =>
    candidate.by.map((by) => ({ url: candidate.url, by, dialect: transport })),
  );
  return steps.filter((step) => canAsk(step) && speaks(step, transport));
}

/** A question, and what the same is called in the other era. */
function inEitherEra(by: Step['by']): Step['by'][] {
  if (by === 'stream') return [by];
  return by === 'discover' ? [by, 'initialize'] : [by, 'discover'];
}

/** Whether a question can find a server that speaks this dialect. */
function speaks({ by }: Pick<Step, 'by'>, transport: Dialect | undefined): boolean {
  if (transport === undefined) return true;
  if (by !== 'stream') return transport === 'streamable-http';
  return transport === 'sse' || transport === 'tool-events';
}
