import { signal } from '@preact/signals';
import { useId, useMemo } from 'preact/hooks';
import type { EventPicture } from '@longwire/recording';
import { visibleLine } from '../format/visible.js';
import type { HeldList } from '../parts/held-list.js';
import { useSlowVersion } from '../state/slow-version.js';
import { numberNames, seriesOf } from './numbers.js';
import { NumberPlot } from './number-plot.js';

/** Whether the view Events plots the numbers in them. */
export const arePlotsShown = signal(false);

/** What was chosen to be plotted; until then it is what comes most often. */
const chosen = signal<readonly string[] | undefined>(undefined);

const MAX_PLOTS = 8;
/** Names that are offered. */
const MAX_NAMES = 200;

/** The numbers in the events of a list over time: those that are chosen. They stand still with the list. */
export function EventPlots({ list, of }: { list: HeldList<EventPicture>; of: unknown }) {
  const id = useId();
  const version = useSlowVersion('events').value;
  // A list that is held is the same, however many come.
  const events = useMemo(() => inOrder(list), [list.missed > 0 ? list.at(0) : version, of]);
  const names = useMemo(() => numberNames(events).slice(0, MAX_NAMES), [events]);
  const shown = chosen.value ?? names.slice(0, 1);
  const plots = useMemo(
    () => shown.map((name) => ({ name, series: seriesOf(name, events) })),
    [events, shown.join('\n')],
  );
  const take = (input: HTMLInputElement): void => {
    const name = names.find((one) => visibleLine(one, 120) === input.value);
    if (name === undefined) return;
    if (!shown.includes(name)) chosen.value = [...shown, name].slice(-MAX_PLOTS);
    input.value = '';
  };
  return (
    <section class="event-plots" aria-label="Plots">
      <p class="buttons">
        <label htmlFor={`${id}-name`}>Plot a number</label>
        <input
          id={`${id}-name`}
          list={`${id}-names`}
          autoComplete="off"
          spellcheck={false}
          placeholder={
            names.length === 0
              ? 'these events have none'
              : `such as ${visibleLine(names[0] ?? '', 40)}`
          }
          onInput={({ currentTarget }) => take(currentTarget)}
          onKeyDown={({ key, currentTarget }) => {
            if (key === 'Enter') take(currentTarget);
          }}
        />
        <datalist id={`${id}-names`}>
          {names.map((name) => (
            <option key={name} value={visibleLine(name, 120)} />
          ))}
        </datalist>
      </p>
      <div class="plots">
        {plots.map(({ name, series }) => (
          <NumberPlot
            key={name}
            name={name}
            series={series}
            onRemove={() => (chosen.value = shown.filter((one) => one !== name))}
          />
        ))}
      </div>
    </section>
  );
}

/** A list from its oldest item on. */
function inOrder(list: HeldList<EventPicture>): EventPicture[] {
  const events: EventPicture[] = [];
  for (let index = list.count - 1; index >= 0; index--) {
    const event = list.at(index);
    if (event !== undefined) events.push(event);
  }
  return events;
}
