import { useSignal } from '@preact/signals';
import type { CallPicture } from '@longwire/recording';
import { counted } from '@longwire/recording/shown';
import { Empty } from '../parts/empty.js';
import { useHeldList } from '../parts/held-list.js';
import { RowTable } from '../parts/row-table.js';
import { filter } from '../state/filter.js';
import { now, useCalls } from '../state/page.js';
import { openView, route } from '../state/route.js';
import { CALL_COLUMNS } from './call-columns.js';
import { CallPanel } from './call-panel.js';
import { InFlight } from './in-flight.js';
import { isLatencyShown, LatencyView } from './latency-view.js';

/** Calls in flight, and those that ended, the newest first. */
export function CallsView() {
  const picture = useCalls();
  const { isEmpty, call: fits } = filter.value;
  const isAway = useSignal(false);
  const toTop = useSignal(0);
  const ended = isEmpty ? picture.ended : picture.ended.filter((call) => fits(call, call.at));
  const inFlight = [...picture.inFlight].filter((call) => fits(call, now.value));
  const list = useHeldList<CallPicture>(ended, isAway.value, filter.value);
  const opened = Number(route.value.parts[0] ?? Number.NaN);
  return (
    <div class={`split ${Number.isNaN(opened) ? '' : 'split-open'}`}>
      <div class="split-list">
        <InFlight calls={inFlight} />
        <header class="list-head">
          <h2>{counted(list.count, 'call')} ended</h2>
          {list.missed > 0 && (
            <button type="button" onClick={() => toTop.value++}>
              Show {counted(list.missed, 'newer call')}
            </button>
          )}
          <button
            type="button"
            aria-pressed={isLatencyShown.value}
            onClick={() => (isLatencyShown.value = !isLatencyShown.value)}
          >
            Latency
          </button>
        </header>
        {isLatencyShown.value && <LatencyView />}
        {list.count === 0 ? (
          <NoCalls hasCalls={picture.ended.length > 0} />
        ) : (
          <RowTable
            label="Calls that ended, the newest first"
            className="calls-table"
            columns={CALL_COLUMNS}
            count={list.count}
            at={list.at}
            keyOf={({ call }) => call}
            opened={opened}
            onOpen={({ call }) => openView('calls', call)}
            onAway={(away) => (isAway.value = away)}
            toTop={toTop.value}
          />
        )}
      </div>
      {!Number.isNaN(opened) && <CallPanel number={opened} onClose={() => openView('calls')} />}
    </div>
  );
}

function NoCalls({ hasCalls }: { hasCalls: boolean }) {
  if (hasCalls) return <Empty title="No call fits the filter" />;
  return (
    <Empty title="No call has ended yet">Run a tool in the view Tools, and it appears here.</Empty>
  );
}
