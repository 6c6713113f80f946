import { signal, useComputed, useSignal } from '@preact/signals';
import { counted, kindOf } from '@longwire/recording/shown';
import { Empty } from '../parts/empty.js';
import { useHeldList } from '../parts/held-list.js';
import { RowTable } from '../parts/row-table.js';
import { filter } from '../state/filter.js';
import { useEvents } from '../state/page.js';
import { openView, route } from '../state/route.js';
import { EVENT_COLUMNS } from './event-columns.js';
import { chosenEvents, EventFilters } from './event-filters.js';
import { EventPanel } from './event-panel.js';
import { arePlotsShown, EventPlots } from './event-plots.js';

/** Whether the stream of events stands still. */
export const isPaused = signal(false);

/** Kinds that can be chosen, of the newest events: a server can make up any number. */
const MAX_KINDS = 50;
const MAX_LOOKED_AT = 1000;

/** Notifications of all servers, and errors of no call, as one stream. */
export function EventsView() {
  const picture = useEvents();
  const { isEmpty, event: fits } = filter.value;
  const isAway = useSignal(false);
  const toTop = useSignal(0);
  const chosen = chosenEvents.value;
  const events =
    isEmpty && chosen === undefined
      ? picture.events
      : picture.events.filter((one) => (chosen === undefined || chosen(one)) && fits(one));
  // A filter makes another list, and so does a choice.
  const of = useComputed(() => [filter.value, chosenEvents.value]).value;
  const list = useHeldList(events, isPaused.value || isAway.value, of);
  const seq = Number(route.value.parts[0] ?? Number.NaN);
  const opened = Number.isNaN(seq) ? undefined : picture.events.find((one) => one.seq === seq);
  const kinds = new Set(picture.events.slice(-MAX_LOOKED_AT).map(kindOf));
  const resume = (): void => {
    isPaused.value = false;
    toTop.value++;
  };
  return (
    <div class={`split ${opened === undefined ? '' : 'split-open'}`}>
      <div class="split-list">
        <header class="list-head">
          <h2>{counted(list.count, 'event')}</h2>
          <EventFilters
            servers={[...picture.servers.keys()]}
            kinds={[...kinds].slice(0, MAX_KINDS).toSorted()}
          />
          <button
            type="button"
            aria-pressed={isPaused.value}
            onClick={() => (isPaused.value ? resume() : (isPaused.value = true))}
          >
            {isPaused.value ? 'Catch up' : 'Pause'}
          </button>
          <button
            type="button"
            aria-pressed={arePlotsShown.value}
            onClick={() => (arePlotsShown.value = !arePlotsShown.value)}
          >
            Plots
          </button>
          {list.missed > 0 && (
            <button type="button" onClick={resume}>
              Show {counted(list.missed, 'newer event')}
            </button>
          )}
        </header>
        {picture.lost > 0 && (
          <p class="remark tone-warning">
            {counted(picture.lost, 'line')} lost, because nobody could keep up.
          </p>
        )}
        {arePlotsShown.value && <EventPlots list={list} of={of} />}
        {list.count === 0 ? (
          <NoEvents hasEvents={picture.events.length > 0} />
        ) : (
          <RowTable
            label="Events, the newest first"
            className="events-table"
            columns={EVENT_COLUMNS}
            count={list.count}
            at={list.at}
            keyOf={(event) => event.seq}
            opened={opened?.seq}
            onOpen={(event) => openView('events', event.seq)}
            onAway={(away) => (isAway.value = away)}
            toTop={toTop.value}
          />
        )}
      </div>
      {opened !== undefined && <EventPanel event={opened} />}
    </div>
  );
}

function NoEvents({ hasEvents }: { hasEvents: boolean }) {
  if (hasEvents) return <Empty title="No event fits the filter" />;
  return (
    <Empty title="No event yet">
      What servers say unasked appears here, and errors that belong to no call.
    </Empty>
  );
}
