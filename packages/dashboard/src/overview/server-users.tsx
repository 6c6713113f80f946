import type { OpenSessions } from '@longwire/recording';
import { callerFilter, callersOf, formatCount } from '@longwire/recording/shown';
import { Line } from '../parts/plain-text.js';
import { filterText } from '../state/filter.js';
import { useCalls } from '../state/page.js';
import { hrefOf } from '../state/route.js';

/** More kinds of sessions are not listed on a card. */
const MAX_KINDS = 8;

/** Who uses a server that is itself watched: its sessions by transport and version, its calls by caller. */
export function ServerUsers({
  server,
  sessions,
}: {
  server: string;
  sessions: readonly OpenSessions[];
}) {
  const { inFlight, ended } = useCalls();
  const { most, others } = callersOf([...inFlight, ...ended], server);
  return (
    <>
      <div class="card-counts">
        <h3>Sessions</h3>
        {sessions.length === 0 && <span>none</span>}
        {sessions.slice(0, MAX_KINDS).map((kind) => (
          <span key={titleOf(kind)}>
            <Line text={titleOf(kind)} maxLength={60} /> <strong>{formatCount(kind.count)}</strong>
          </span>
        ))}
      </div>
      <div class="card-counts" title="Of the calls that are kept.">
        <h3>Calls by</h3>
        {most.length === 0 && <span>nobody yet</span>}
        {most.map(([who, calls]) => (
          <a
            key={who}
            href={hrefOf('calls')}
            onClick={() => (filterText.value = callerFilter(who))}
          >
            <Line text={who} maxLength={40} /> <strong>{formatCount(calls)}</strong>
          </a>
        ))}
        {others > 0 && <span class="remark">and {formatCount(others)} more</span>}
      </div>
    </>
  );
}

/** How many sessions a server has open. */
export function sessionCount(sessions: readonly OpenSessions[]): number {
  return sessions.reduce((sum, { count }) => sum + count, 0);
}

function titleOf({ transport, protocolVersion }: OpenSessions): string {
  return protocolVersion === undefined ? transport : `${transport} ${protocolVersion}`;
}
