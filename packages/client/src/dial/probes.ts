import type { FirstMethod } from './eras.js';
import type { UrlTarget } from './target.js';
import type { Detected, Wanted } from './detected.js';
import type { TransportName } from '../transport-name.js';

/** One request to one URL that shows whether a server speaks a transport there. */
export interface Probe {
  url: URL;
  /** A POST of one of two requests, or a GET. */
  by: FirstMethod | 'stream';
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
  { transport, methods }: Pick<Wanted, 'transport' | 'methods'>,
): [known: Probe[], rest: Probe[]] {
  const first = known === undefined ? [] : probesOf(known, { search: url.search, methods });
  const rest = candidates.flatMap((candidate) =>
    candidate.by
      .flatMap((by): readonly Probe['by'][] => (by === 'post' ? methods : [by]))
      .map((by) => ({ url: candidate.url, by, transport }))
      .filter((probe) => speaks(probe, { transport, methods })),
  );
  const isFirst = ({ url, by }: Probe): boolean =>
    first.some((probe) => probe.by === by && probe.url.href === url.href);
  return [first, rest.filter((probe) => !isFirst(probe))];
}

/** A server that was found by POST may have come back in the other era. */
function probesOf(
  known: Detected,
  { search, methods }: { search: string; methods: readonly FirstMethod[] },
): Probe[] {
  const url = new URL(known.url);
  url.search = search;
  const { by, transport } = known;
  const all = by === 'stream' ? [by] : [by, ...methods.filter((method) => method !== by)];
  return all.map((by) => ({ url, by, transport }));
}

/** Whether a probe can find a server with this transport. After a GET, `initialize` follows. */
function speaks(
  { by }: Pick<Probe, 'by'>,
  { transport, methods }: Pick<Wanted, 'transport' | 'methods'>,
): boolean {
  if (by === 'stream' && !methods.includes('initialize')) return false;
  if (transport === undefined) return true;
  if (by !== 'stream') return transport === 'streamable-http';
  return transport === 'sse' || transport === 'tool-events';
}
