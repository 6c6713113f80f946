import { serverFilter } from '@longwire/recording/shown';
import { isLatencyShown } from '../calls/latency-view.js';
import { eventChoices } from '../events/event-filters.js';
import { arePlotsShown } from '../events/event-plots.js';
import { isPaused } from '../events/events-view.js';
import { filterRange, filterText } from '../state/filter.js';
import { feed } from '../state/page.js';
import { openView, VIEW_TITLES, VIEWS } from '../state/route.js';
import { nextTheme, theme } from '../state/theme.js';

/** Something that can be done from everywhere. */
export interface Command {
  readonly title: string;
  /** Where it belongs, or its key. */
  readonly hint: string;
  readonly run: () => void;
}

/** Everything that can be done now. */
export function commandsOf(): Command[] {
  const servers = [...feed.picture.servers.values()];
  return [
    ...VIEWS.map((view) => ({
      title: `Open ${VIEW_TITLES[view]}`,
      hint: 'view',
      run: () => openView(view),
    })),
    { title: 'Filter', hint: '/', run: focusFilter },
    {
      title: 'Clear all filters',
      hint: 'filter',
      run: () => {
        filterText.value = '';
        filterRange.value = undefined;
        for (const choice of Object.values(eventChoices)) choice.value = '';
      },
    },
    {
      title: isPaused.value ? 'Catch up with events' : 'Pause events',
      hint: 'events',
      run: () => {
        isPaused.value = !isPaused.value;
        openView('events');
      },
    },
    {
      title: isLatencyShown.value ? 'Hide the latencies of calls' : 'Show the latencies of calls',
      hint: 'calls',
      run: () => {
        isLatencyShown.value = !isLatencyShown.value;
        openView('calls');
      },
    },
    {
      title: arePlotsShown.value ? 'Hide the plots of events' : 'Plot numbers in events',
      hint: 'events',
      run: () => {
        arePlotsShown.value = !arePlotsShown.value;
        openView('events');
      },
    },
    { title: `Change the theme (now ${theme.value})`, hint: 'light, dark, auto', run: nextTheme },
    ...EXPORTS.map(({ title, path }) => ({
      title,
      hint: 'file',
      run: () => location.assign(`api/${path}`),
    })),
    ...servers.map(({ name }) => ({
      title: `Show only ${name}`,
      hint: 'server',
      run: () => {
        filterText.value = serverFilter(name);
      },
    })),
    ...servers.flatMap(({ name, catalogue }) =>
      (catalogue.tools ?? []).map((tool) => ({
        title: `${feed.shows.value.canCall ? 'Run' : 'Open'} ${String(tool['name'])}`,
        hint: name,
        run: () => openView('tools', name, String(tool['name'])),
      })),
    ),
  ];
}

const EXPORTS = [
  { title: 'Save the recording (NDJSON)', path: 'recording' },
  { title: 'Save traces (OTLP)', path: 'export?format=otlp' },
  { title: 'Save a trace for Perfetto', path: 'export?format=chrome' },
  { title: 'Save calls (HAR)', path: 'export?format=har' },
] as const;

/** Puts the caret into the filter line. */
export function focusFilter(): void {
  document.querySelector<HTMLInputElement>('#filter')?.focus();
}
