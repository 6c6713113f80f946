import { useId } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { isObject } from '@longwire/recording/shown';
import { visibleLine } from '../format/visible.js';
import { FieldView, JsonInput } from './field-view.js';
import type { Field } from './form-model.js';
import { problemsOf } from './form-values.js';

/** A form for arguments, by fields or as JSON, with a button that runs what they are for. */
export function ArgumentsForm({
  field,
  value,
  onChange,
  onRun,
  runLabel,
  isBusy,
}: {
  field: Field;
  value: unknown;
  onChange: (value: unknown) => void;
  onRun: () => void;
  runLabel: string;
  isBusy: boolean;
}) {
  const id = useId();
  const isRaw = useSignal(false);
  const isTried = useSignal(false);
  const problems = problemsOf(field, isObject(value) ? value : {});
  const hasFields = field.kind !== 'object' || field.properties.length > 0;
  return (
    <form
      class="arguments"
      onSubmit={(event) => {
        event.preventDefault();
        isTried.value = true;
        // What is written as JSON is sent as it is: the server has the last word.
        if (problems.length === 0 || isRaw.value) onRun();
      }}
    >
      <div class="arguments-body">
        {isRaw.value ? (
          <div class="field">
            <label htmlFor={id}>Arguments as JSON</label>
            <JsonInput
              id={id}
              rows={10}
              value={value ?? {}}
              onChange={(json) => onChange(json ?? {})}
            />
          </div>
        ) : hasFields ? (
          <FieldView field={field} value={value ?? {}} isRequired onChange={onChange} />
        ) : (
          <p class="remark">It takes no arguments.</p>
        )}
      </div>
      {isTried.value && !isRaw.value && problems.length > 0 && (
        <div role="alert">
          <ul class="problems">
            {problems.slice(0, 10).map(({ path, message }) => (
              <li key={path.join('/')}>
                <strong>{visibleLine(path.join(' › ')) || 'It'}</strong> {message}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="buttons">
        <button type="submit" class="primary" disabled={isBusy}>
          {runLabel}
        </button>
        <button
          type="button"
          aria-pressed={isRaw.value}
          onClick={() => (isRaw.value = !isRaw.value)}
        >
          {isRaw.value ? 'Fill in a form' : 'Write JSON'}
        </button>
      </div>
    </form>
  );
}
