import { useId } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { isObject, lineJson, prettyJson } from '@longwire/recording/shown';
import { visibleLine } from '../format/visible.js';
import { Line } from '../parts/plain-text.js';
import type { Field, ListField, ObjectField, VariantsField } from './form-model.js';
import { initialValue, isSame, variantOf, withMember } from './form-values.js';

/** A field, its value, and who is told of a new one; `undefined` leaves it out. */
export interface FieldProps<Kind extends Field = Field> {
  readonly field: Kind;
  readonly value: unknown;
  readonly isRequired: boolean;
  readonly onChange: (value: unknown) => void;
}

/** What a person fills in for a field of any kind. */
export function FieldView(props: FieldProps) {
  const { field } = props;
  switch (field.kind) {
    case 'object':
      return <ObjectView {...props} field={field} />;
    case 'list':
      return <ListView {...props} field={field} />;
    case 'variants':
      return <VariantsView {...props} field={field} />;
    default:
      return <LabelledInput {...props} />;
  }
}

function Title({ field, isRequired }: Pick<FieldProps, 'field' | 'isRequired'>) {
  return (
    <>
      <Line text={field.label} maxLength={80} />
      {isRequired && <span class="needed"> needed</span>}
    </>
  );
}

function About({ field, id }: { field: Field; id?: string }) {
  const about = aboutOf(field);
  if (about === '') return null;
  return (
    <p class="field-about" id={id}>
      <Line text={about} maxLength={500} />
    </p>
  );
}

function aboutOf(field: Field): string {
  const hint = field.kind === 'text' ? field.hint : undefined;
  const range = field.kind === 'number' ? rangeOf(field.min, field.max) : undefined;
  return [field.description, hint, range].filter((part) => part !== undefined).join(' · ');
}

function rangeOf(min: number | undefined, max: number | undefined): string | undefined {
  if (min !== undefined && max !== undefined) return `${min} to ${max}`;
  if (min !== undefined) return `at least ${min}`;
  return max === undefined ? undefined : `at most ${max}`;
}

function LabelledInput({ field, value, isRequired, onChange }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label htmlFor={id}>
        <Title field={field} isRequired={isRequired} />
      </label>
      <Input field={field} value={value} isRequired={isRequired} onChange={onChange} id={id} />
      <About field={field} id={`${id}-about`} />
    </div>
  );
}

function Input({ field, value, isRequired, onChange, id }: FieldProps & { id: string }) {
  const shared = { id, ...(aboutOf(field) !== '' && { 'aria-describedby': `${id}-about` }) };
  switch (field.kind) {
    case 'text': {
      const text = typeof value === 'string' ? value : '';
      const onInput = (event: { currentTarget: { value: string } }): void => {
        const { value: typed } = event.currentTarget;
        onChange(typed === '' && !isRequired ? undefined : typed);
      };
      return field.isLong ? (
        <textarea {...shared} rows={4} value={text} onInput={onInput} />
      ) : (
        <input {...shared} type="text" autoComplete="off" value={text} onInput={onInput} />
      );
    }
    case 'number':
      return (
        <input
          {...shared}
          type="text"
          inputMode={field.isWhole ? 'numeric' : 'decimal'}
          autoComplete="off"
          value={lineJson(value)}
          onInput={({ currentTarget }) => onChange(typedNumber(currentTarget.value))}
        />
      );
    case 'switch':
    case 'choice':
    case 'fixed':
      return <Select {...shared} field={field} value={value} onChange={onChange} />;
    default:
      return <JsonInput {...shared} value={value} onChange={onChange} />;
  }
}

/** What is no number stays as it was typed, and is said to be none. */
function typedNumber(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const number = Number(trimmed);
  // What a person is about to write, such as `1.`, is not to be written anew under their hands.
  return Number.isFinite(number) && String(number) === trimmed ? number : trimmed;
}

function Select({
  field,
  value,
  onChange,
  ...shared
}: {
  field: Field;
  value: unknown;
  onChange: (value: unknown) => void;
  id: string;
}) {
  const choices = choicesIn(field);
  const chosen = choices.findIndex((choice) => isSame(choice.value, value));
  return (
    <select
      {...shared}
      value={String(chosen)}
      onChange={({ currentTarget }) => onChange(choices[Number(currentTarget.value)]?.value)}
    >
      <option value="-1">not given</option>
      {choices.map(({ label }, index) => (
        <option key={index} value={String(index)}>
          {visibleLine(label, 100)}
        </option>
      ))}
    </select>
  );
}

function choicesIn(field: Field): readonly { readonly value: unknown; readonly label: string }[] {
  if (field.kind === 'choice') return field.choices;
  if (field.kind === 'fixed') return [{ value: field.value, label: JSON.stringify(field.value) }];
  return [true, false].map((value) => ({ value, label: String(value) }));
}

/** JSON as it is typed; told on as soon as it is JSON. */
export function JsonInput({
  value,
  onChange,
  rows = 3,
  ...shared
}: {
  value: unknown;
  onChange: (value: unknown) => void;
  rows?: number;
  id: string;
}) {
  const typed = useSignal<string | undefined>(undefined);
  const isWrong = typed.value !== undefined && typed.value.trim() !== '' && !isJson(typed.value);
  return (
    <>
      <textarea
        {...shared}
        class="json-input"
        rows={rows}
        spellcheck={false}
        aria-invalid={isWrong}
        value={typed.value ?? prettyJson(value)}
        onInput={({ currentTarget: { value: text } }) => {
          typed.value = text;
          if (text.trim() === '') onChange(undefined);
          else if (isJson(text)) onChange(JSON.parse(text));
        }}
        onBlur={() => {
          if (!isWrong) typed.value = undefined;
        }}
      />
      {isWrong && (
        <span class="problem" role="alert">
          This is not JSON yet.
        </span>
      )}
    </>
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function ObjectView({ field, value, isRequired, onChange }: FieldProps<ObjectField>) {
  if (value === undefined && !isRequired) {
    return (
      <div class="field">
        <button type="button" onClick={() => onChange(initialValue(field, true) ?? {})}>
          Add <Line text={field.label} maxLength={40} />
        </button>
        <About field={field} />
      </div>
    );
  }
  return (
    <fieldset class="field-group">
      <legend>
        <Title field={field} isRequired={isRequired} />
      </legend>
      <About field={field} />
      {field.properties.map(({ name, isRequired: isNeeded, field: inner }) => (
        <FieldView
          key={name}
          field={inner}
          isRequired={isNeeded}
          value={isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined}
          onChange={(member) => onChange(withMember(value, name, member))}
        />
      ))}
      {!isRequired && (
        <button type="button" onClick={() => onChange(undefined)}>
          Leave out <Line text={field.label} maxLength={40} />
        </button>
      )}
    </fieldset>
  );
}

function ListView({ field, value, isRequired, onChange }: FieldProps<ListField>) {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const { maxItems = Number.POSITIVE_INFINITY } = field;
  const without = (index: number): readonly unknown[] | undefined => {
    const rest = items.toSpliced(index, 1);
    return rest.length === 0 && !isRequired ? undefined : rest;
  };
  return (
    <fieldset class="field-group">
      <legend>
        <Title field={field} isRequired={isRequired} />
      </legend>
      <About field={field} />
      {items.map((item, index) => (
        <div key={index} class="list-item">
          <FieldView
            field={{ ...field.item, label: `${field.label} ${index + 1}` }}
            isRequired
            value={item}
            onChange={(changed) => onChange(items.with(index, changed))}
          />
          <button type="button" onClick={() => onChange(without(index))}>
            Remove<span class="unseen"> {`${field.label} ${index + 1}`}</span>
          </button>
        </div>
      ))}
      {items.length < maxItems && (
        <button type="button" onClick={() => onChange([...items, newItem(field.item)])}>
          Add to <Line text={field.label} maxLength={40} />
        </button>
      )}
    </fieldset>
  );
}

function newItem(item: Field): unknown {
  return initialValue(item, true) ?? (item.kind === 'text' ? '' : undefined);
}

function VariantsView({ field, value, isRequired, onChange }: FieldProps<VariantsField>) {
  const id = useId();
  const chosen = useSignal<number | undefined>(undefined);
  const fitting = value === undefined ? -1 : variantOf(field.variants, value);
  const index = chosen.value ?? (isRequired ? Math.max(0, fitting) : fitting);
  const variant = field.variants[index];
  return (
    <fieldset class="field-group">
      <legend>
        <Title field={field} isRequired={isRequired} />
      </legend>
      <About field={field} />
      <div class="field">
        <label htmlFor={id}>
          Kind of <Line text={field.label} maxLength={40} />
        </label>
        <select
          id={id}
          value={String(index)}
          onChange={({ currentTarget }) => {
            const next = Number(currentTarget.value);
            chosen.value = next;
            const taken = field.variants[next];
            onChange(taken === undefined ? undefined : initialValue(taken, true));
          }}
        >
          {!isRequired && <option value="-1">not given</option>}
          {field.variants.map(({ label }, at) => (
            <option key={at} value={String(at)}>
              {visibleLine(label, 100)}
            </option>
          ))}
        </select>
      </div>
      {variant !== undefined && variant.kind !== 'fixed' && (
        <FieldView key={index} field={variant} isRequired value={value} onChange={onChange} />
      )}
    </fieldset>
  );
}
