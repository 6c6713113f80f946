import type { Question } from './eras.js';
import type { UrlTarget } from './target.js';
import type { Detected, Wanted } from './detected.js';
import type { TransportName } from '../transport-name.js';

/** One request to one URL that shows whether a server speaks a transport there. */
export interface Probe {
  url: URL;
  /** A POST of one of two requests, or a GET. */
  by: Question | 'stream';
  /** The transport of the server, if it is known. */
  transport: TransportName | undefined;
}

/**
 * The probes of a target in order. `known` are those of an earlier detection, in either era. `rest` are
 * all others; they run only if nothing is known, or the server has been replaced.
 */
export function probesFor(
  { url, candidates }: Pick<UrlTarget, 'url' | 'candidates'>,
  known: Detected | undefined,
  { transport, questions }: Pick<Wanted, 'transport' | 'questions'>,
): [known: Probe[], rest: Probe[]] {
  const first = known === undefined ? [] : probesOf(known, { search: url.search, questions });
  const rest = candidates.flatMap((candidate) =>
    candidate.by
      .flatMap((by): readonly Probe['by'][] => (by === 'post' ? questions : [by]))
      .map((by) => ({ url: candidate.url, by, transport }))
      .filter((probe) => speaks(probe, { transport, questions })),
  );
  const isFirst = ({ url, by }: Probe): boolean =>
    first.some((probe) => probe.by === by && probe.url.href === url.href);
  return [first, rest.filter((probe) => !isFirst(probe))];
}

/** A server that was found by POST may have come back in the other era. */
function probesOf(
  known: Detected,
  { search, questions }: { search: string; questions: readonly Question[] },
): Probe[] {
  const url = new URL(known.url);
  url.search = search;
  const { by, transport } = known;
  const all = by === 'stream' ? [by] : [by, ...questions.filter((question) => question !== by)];
  return all.map((by) => ({ url, by, transport }));
}

/** Whether a probe can find a server with this transport. After a GET, `initialize` follows. */
function speaks(
  { by }: Pick<Probe, 'by'>,
  { transport, questions }: Pick<Wanted, 'transport' | 'questions'>,
): boolean {
  if (by === 'stream' && !questions.includes('initialize')) return false;
  if (transport === undefined) return true;
  if (by !== 'stream') return transport === 'streamable-http';
  return transport === 'sse' || transport === 'tool-events';
}
