import { useId, useMemo } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { CallPicture, Ended } from '@longwire/recording';
import { isObject } from '@longwire/recording/shown';
import { CommandButton } from '../parts/command-button.js';
import { wholeCall, type CallRequest } from '../state/api.js';
import { addCheck } from './check-list.js';
import { choicesFor } from './expectation-choices.js';

/** A button that saves a call that was run, with what is expected of the next answer. */
export function SaveCheck({ request, call }: { request: CallRequest; call: CallPicture }) {
  const opened = useSignal<Ended | undefined>(undefined);
  const isSaved = useSignal(false);
  const { value: ended } = opened;
  if (isSaved.value) return <p role="status">Saved as a check.</p>;
  if (ended === undefined) {
    return (
      <p>
        <CommandButton
          run={async () => {
            // The picture has only the beginning of a large result.
            opened.value = (await wholeCall(call.call)).end;
          }}
        >
          Save as a check
        </CommandButton>
      </p>
    );
  }
  return (
    <CheckForm
      request={request}
      ended={ended}
      onClose={(saved) => {
        isSaved.value = saved;
        opened.value = undefined;
      }}
    />
  );
}

function CheckForm({
  request: { server, name, arguments: args },
  ended,
  onClose,
}: {
  request: CallRequest;
  ended: Ended;
  onClose: (isSaved: boolean) => void;
}) {
  const id = useId();
  const choices = useMemo(() => choicesFor(ended), [ended]);
  const chosen = useSignal(0);
  const filled = useSignal<string | undefined>(undefined);
  const choice = choices[chosen.value] ?? choices[0];
  if (choice === undefined) return null;
  const text = filled.value ?? choice.filled ?? '';
  const save = async (): Promise<void> => {
    let expect;
    try {
      expect = choice.make(text);
    } catch {
      throw new Error('This is not JSON yet.');
    }
    const given = isObject(args) && Object.keys(args).length > 0 ? { arguments: args } : {};
    await addCheck({ server, tool: name, ...given, expect });
    onClose(true);
  };
  return (
    <section class="save-check" aria-label="Save as a check">
      <div class="field">
        <label htmlFor={id}>What is expected of the answer</label>
        <select
          id={id}
          value={String(chosen.value)}
          onChange={({ currentTarget }) => {
            chosen.value = Number(currentTarget.value);
            filled.value = undefined;
          }}
        >
          {choices.map(({ label }, index) => (
            <option key={label} value={String(index)}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {choice.filled !== undefined && (
        <textarea
          class="json-input"
          aria-label={choice.label}
          rows={6}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => (filled.value = currentTarget.value)}
        />
      )}
      <div class="buttons">
        <CommandButton className="primary" run={save}>
          Save
        </CommandButton>
        <button type="button" onClick={() => onClose(false)}>
          Do not save
        </button>
      </div>
    </section>
  );
}
