import { computed, signal } from '@preact/signals';
import type { EventPicture } from '@longwire/recording';
import { isAtLeast, kindOf, type LevelName, LEVELS } from '@longwire/recording/shown';
import { visibleLine } from '../format/visible.js';

/** What the view Events is narrowed to, beside the filter of the page. */
export const eventChoices = {
  server: signal(''),
  kind: signal(''),
  level: signal<LevelName | ''>(''),
};

/** Tells the events that were chosen; `undefined` where all were. */
export const chosenEvents = computed(() => {
  const server = eventChoices.server.value;
  const kind = eventChoices.kind.value;
  const level = eventChoices.level.value;
  if (server === '' && kind === '' && level === '') return undefined;
  return (event: EventPicture): boolean =>
    (server === '' || event.server === server) &&
    (kind === '' || kindOf(event) === kind) &&
    (level === '' || isAtLeast(event, level));
});

/** Choices of the server, the kind and the least level of events. */
export function EventFilters({
  servers,
  kinds,
}: {
  servers: readonly string[];
  kinds: readonly string[];
}) {
  return (
    <div class="choices">
      <Choice label="Server" all="all servers" options={servers} chosen={eventChoices.server} />
      <Choice label="Kind" all="all kinds" options={kinds} chosen={eventChoices.kind} />
      <Choice label="Level" all="all levels" options={LEVELS} chosen={eventChoices.level} from />
    </div>
  );
}

function Choice({
  label,
  all,
  options,
  chosen,
  from = false,
}: {
  label: string;
  all: string;
  options: readonly string[];
  chosen: { value: string };
  from?: boolean;
}) {
  return (
    <label>
      <span class="unseen">{label}</span>
      <select value={chosen.value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
        <option value="">{all}</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {from ? `${option} and worse` : visibleLine(option, 60)}
          </option>
        ))}
      </select>
    </label>
  );
}
