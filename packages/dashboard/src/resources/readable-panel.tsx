import { useMemo } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { isObject } from '@longwire/recording/shown';
import { visibleText } from '../format/visible.js';
import { Panel } from '../parts/panel.js';
import { OnlyShown } from '../parts/only-shown.js';
import { Line } from '../parts/plain-text.js';
import { feed, useCall } from '../state/page.js';
import { openView } from '../state/route.js';
import { ArgumentsForm } from '../tools/arguments-form.js';
import { formOf } from '../tools/form-model.js';
import { initialValue } from '../tools/form-values.js';
import { useRun } from '../tools/run.js';
import { RunView } from '../tools/run-view.js';
import { readRequest, type Readable } from './catalogue-items.js';
import { SubscriptionSwitch } from './subscription-switch.js';

/** A resource, a template or a prompt: what it is, and what it holds once it is read. */
export function ReadablePanel({ readable }: { readable: Readable }) {
  const { kind, server, id, name, description, schema } = readable;
  const field = useMemo(() => formOf(schema), [server, id]);
  const value = useSignal<unknown>(initialValue(field, true) ?? {});
  const run = useRun();
  const { value: state } = run.state;
  const shown = useCall(state.at === 'started' ? state.call : Number.NaN);
  const read = (): void =>
    run.start(readRequest(readable, isObject(value.value) ? value.value : {}));
  return (
    <Panel title={name} onClose={() => openView('resources')}>
      <p class="remark">
        <Line text={`${id} · ${server}`} />
      </p>
      {description !== '' && <p class="description">{visibleText(description.slice(0, 4000))}</p>}
      {!feed.shows.value.canCall ? (
        <OnlyShown />
      ) : (
        <ArgumentsForm
          field={field}
          value={value.value}
          onChange={(changed) => (value.value = changed)}
          onRun={read}
          runLabel={kind === 'prompts' ? 'Get' : 'Read'}
          isBusy={run.state.value.at === 'starting'}
        />
      )}
      {kind === 'resources' && (
        <SubscriptionSwitch server={server} uri={id} readAt={shown?.at} read={read} />
      )}
      <RunView run={run} name={name} />
    </Panel>
  );
}
