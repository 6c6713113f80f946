import type { Dialect } from '../channels/channel.js';
import type { Question } from './eras.js';
import type { UrlTarget } from './target.js';
import type { Verdict, Wanted } from './verdicts.js';

/** One question to one URL. */
export interface Step {
  url: URL;
  /** What is asked there: by POST with one of two requests, or by GET. */
  by: Question | 'stream';
  /** What is known of the server, if anything. */
  dialect: Dialect | undefined;
}

/**
 * What is asked of a target, in order: first what is known from before, in either era. Only if the
 * server turns out to be another one by now, or nothing is known, all that may be asked.
 */
export function stepsFor(
  { url, candidates }: Pick<UrlTarget, 'url' | 'candidates'>,
  known: Verdict | undefined,
  { transport, questions }: Pick<Wanted, 'transport' | 'questions'>,
): [known: Step[], rest: Step[]] {
  const first = known === undefined ? [] : stepsOf(known, { search: url.search, questions });
  const rest = candidates.flatMap((candidate) =>
    candidate.by
      .flatMap((by): readonly Step['by'][] => (by === 'post' ? questions : [by]))
      .map((by) => ({ url: candidate.url, by, dialect: transport }))
      .filter((step) => speaks(step, { transport, questions })),
  );
  const isAsked = ({ url, by }: Step): boolean =>
    first.some((step) => step.by === by && step.url.href === url.href);
  return [first, rest.filter((step) => !isAsked(step))];
}

/** A server that was asked by POST may have come back in the other era. */
function stepsOf(
  known: Verdict,
  { search, questions }: { search: string; questions: readonly Question[] },
): Step[] {
  const url = new URL(known.url);
  url.search = search;
  const { by, dialect } = known;
  const all = by === 'stream' ? [by] : [by, ...questions.filter((question) => question !== by)];
  return all.map((by) => ({ url, by, dialect }));
}

/** Whether a question can find a server that speaks this dialect. A stream leads to `initialize`. */
function speaks(
  { by }: Pick<Step, 'by'>,
  { transport, questions }: Pick<Wanted, 'transport' | 'questions'>,
): boolean {
  if (by === 'stream' && !questions.includes('initialize')) return false;
  if (transport === undefined) return true;
  if (by !== 'stream') return transport === 'streamable-http';
  return transport === 'sse' || transport === 'tool-events';
}
