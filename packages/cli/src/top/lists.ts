import type { CallPicture, EventPicture, Picture, ServerPicture } from '@longwire/recording';
import { serverFilter, type ViewFilter } from '@longwire/recording/shown';
import { CALL_COLUMNS } from './call-columns.js';
import { EVENT_COLUMNS } from './event-columns.js';
import type { Key } from './keys.js';
import { isRoomy, PANES, placePanes, type PaneName } from './layout.js';
import { List } from './list.js';
import type { Opened } from './opened-view.js';
import { SERVER_COLUMNS, WATCHED_COLUMNS } from './server-columns.js';
import { line, type ScreenLine } from './spans.js';

/** What the lists are drawn of. */
export interface ListsSpace {
  readonly picture: Picture;
  readonly at: number;
  readonly filter: ViewFilter;
  readonly width: number;
  readonly height: number;
}

const NOTHING: Readonly<Record<PaneName, string>> = {
  servers: 'no server yet',
  calls: 'no call yet',
  events: 'no event yet',
};

/** Servers, calls and events, one below the other. One of them has the focus: keys are about it. */
export class Lists {
  readonly #lists = {
    servers: new List<ServerPicture>({ columns: SERVER_COLUMNS, keyOf: ({ name }) => name }),
    calls: new List<CallPicture>({ columns: CALL_COLUMNS, keyOf: ({ call }) => call }),
    events: new List<EventPicture>({ columns: EVENT_COLUMNS, keyOf: ({ seq }) => seq }),
  };
  #focused: PaneName = 'servers';
  #isZoomed = false;

  /** What is selected, as something to open. */
  get selected(): Opened | undefined {
    const { servers, calls, events } = this.#lists;
    switch (this.#focused) {
      case 'servers':
        return servers.selected && { is: 'server', id: servers.selected.name };
      case 'calls':
        return calls.selected && { is: 'call', id: calls.selected.call };
      case 'events':
        return events.selected && { is: 'event', id: events.selected.seq };
    }
  }

  /** The filter that lets through only what belongs to the server of the selected row. */
  get filterOfSelected(): string | undefined {
    const { servers, calls, events } = this.#lists;
    const name = {
      servers: servers.selected?.name,
      calls: calls.selected?.server,
      events: events.selected?.server,
    }[this.#focused];
    return name === undefined ? undefined : serverFilter(name);
  }

  /** Selects the first row, where the newest is followed. */
  moveToFirst(): void {
    this.#lists[this.#focused].moveTo('first');
  }

  /** Takes a key that selects or arranges. */
  press({ name, shift = false }: Key): void {
    const list = this.#lists[this.#focused];
    switch (name) {
      case 'j':
      case 'down':
        return list.move(1);
      case 'k':
      case 'up':
        return list.move(-1);
      case 'pagedown':
        return list.movePage(1);
      case 'pageup':
        return list.movePage(-1);
      case 'g':
      case 'home':
        return list.moveTo('first');
      case 'G':
      case 'end':
        return list.moveTo('last');
      case '<':
      case '>':
        return list.sortByNext(name === '>' ? 1 : -1);
      case 'r':
        return list.reverse();
      case 'z':
        this.#isZoomed = !this.#isZoomed;
        return;
      case 'tab': {
        const next = PANES.indexOf(this.#focused) + (shift ? PANES.length - 1 : 1);
        this.#focused = PANES[next % PANES.length] ?? 'servers';
      }
    }
  }

  /** The lists with what fits the filter, in as many lines as there is room for. */
  lines({ picture, at, filter, width, height }: ListsSpace): ScreenLine[] {
    const all = [...picture.servers.values()].filter(({ known }) => known.removed !== true);
    const servers = all.filter((server) => filter.server(server));
    const inFlight = [...picture.inFlight].filter((call) => filter.call(call, at));
    const ended = picture.ended.filter((call) => filter.call(call, at));
    const events = picture.events.filter(filter.event);
    const lists = this.#lists;
    const calls = [...inFlight, ...ended.toReversed()];
    const running = inFlight.length === 0 ? '' : ` · ${inFlight.length} in flight`;
    const isWatched = all.some(({ sessions }) => sessions !== undefined);
    lists.servers.columns = isWatched ? WATCHED_COLUMNS : SERVER_COLUMNS;
    lists.servers.show(servers, at);
    lists.calls.show(calls, at);
    lists.events.show(events.toReversed(), at);
    const titles: Readonly<Record<PaneName, Readonly<Record<string, string>>>> = {
      servers: { SERVERS: `SERVERS ${servers.length}` },
      calls: { CALLS: `CALLS ${calls.length}${aboveOr(lists.calls, running)}` },
      events: { EVENTS: `EVENTS ${events.length}`, SAYS: `SAYS${aboveOr(lists.events, '')}` },
    };
    const placed = placePanes(height, {
      servers: servers.length,
      focused: this.#focused,
      isZoomed: this.#isZoomed,
    });
    const nothing = (pane: PaneName): string =>
      filter.isEmpty ? NOTHING[pane] : 'nothing fits the filter';
    return placed.flatMap(([pane, rows], index) => [
      ...(index > 0 && isRoomy(height) ? [line('')] : []),
      ...lists[pane].lines({
        width,
        height: rows,
        at,
        isFocused: pane === this.#focused,
        titles: titles[pane],
        empty: line(`  ${nothing(pane)}`, 'quiet'),
      }),
    ]);
  }
}

/** How many rows are above those that are shown, if any; else something else. */
function aboveOr({ above }: { above: number }, otherwise: string): string {
  return above === 0 ? otherwise : ` · ${above} above`;
}
