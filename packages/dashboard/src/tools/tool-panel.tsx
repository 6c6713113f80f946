import { useMemo } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { ToolChecks } from '../checks/tool-checks.js';
import { visibleText } from '../format/visible.js';
import { Panel } from '../parts/panel.js';
import { OnlyShown } from '../parts/only-shown.js';
import { Line } from '../parts/plain-text.js';
import { feed } from '../state/page.js';
import { openView } from '../state/route.js';
import { ArgumentsForm } from './arguments-form.js';
import { formOf } from './form-model.js';
import { initialValue } from './form-values.js';
import { useRun } from './run.js';
import { RunView } from './run-view.js';
import { toolFacts } from './tool-facts.js';

/** One tool: what it says of itself, the form of its arguments, its run. */
export function ToolPanel({
  server,
  tool,
}: {
  server: string;
  tool: Readonly<Record<string, unknown>>;
}) {
  const { name, title, description, inputSchema, hints } = toolFacts(tool);
  const field = useMemo(() => formOf(inputSchema), [inputSchema]);
  const value = useSignal<unknown>(initialValue(field, true) ?? {});
  const run = useRun();
  const { at } = run.state.value;
  return (
    <Panel title={title ?? name} onClose={() => openView('tools')}>
      <p class="remark">
        <Line text={[...(title === undefined ? [] : [name]), server, ...hints].join(' · ')} />
      </p>
      {description !== '' && <p class="description">{visibleText(description.slice(0, 4000))}</p>}
      {!feed.shows.value.canCall ? (
        <OnlyShown />
      ) : (
        <ArgumentsForm
          field={field}
          value={value.value}
          onChange={(changed) => (value.value = changed)}
          onRun={() =>
            run.start({ server, method: 'tools/call', name, arguments: value.value ?? {} })
          }
          runLabel={at === 'started' ? 'Run again' : 'Run'}
          isBusy={at === 'starting'}
        />
      )}
      <RunView run={run} name={name} />
      {feed.shows.value.canCall && <ToolChecks server={server} tool={name} />}
    </Panel>
  );
}
