import type { QuestionDesk } from '../question-desk.js';
import { sanitizeLine, visibleJson } from '../sanitize.js';
import { checkCount, parseValue, type Choice, type Field, type FieldValue } from './form-fields.js';
import { quoted } from './quote.js';

const maxTitleLength = 100;
const maxDescriptionLength = 500;

/** More choices than this are not listed one below the other: one is written. */
const maxListed = 200;

/** What leaves an optional choice out. */
const nothing = Symbol('nothing');

/**
 * Asks for one value. `given` is what Enter takes; `place` is where the field is in its form. A field
 * that is optional may be left out.
 */
export async function askField(
  desk: QuestionDesk,
  field: Field,
  { given, place }: { given: FieldValue | undefined; place: string },
): Promise<FieldValue | undefined> {
  const { description, isSecret, required } = field;
  if (description !== undefined && description !== field.title) {
    const short = sanitizeLine(description, maxDescriptionLength);
    for (const line of await quoted(short, desk.columns)) desk.show(line);
  }
  if (isSecret) {
    desk.show('Careful: this looks like a secret, and servers must not ask for one in a form.');
  }
  const wanted = [...wantedOf(field), required ? 'required' : 'optional'].join(', ');
  const title = visibleJson(sanitizeLine(field.title, maxTitleLength));
  const message = desk.shown(`${place} ${title} (${wanted})`);
  const isListed = field.choices.length > 0 && field.choices.length <= maxListed;
  if (isListed && field.kind === 'one') return await askOne(desk, field, { given, message });
  if (isListed && field.kind === 'several') {
    return await askSeveral(desk, field, { given, message });
  }
  return await askText(desk, field, { given, message });
}

interface Asked {
  given: FieldValue | undefined;
  message: string;
}

async function askText(
  desk: QuestionDesk,
  field: Field,
  { given, message }: Asked,
): Promise<FieldValue | undefined> {
  const { input, password } = await import('@inquirer/prompts');
  const validate = (text: string): boolean | string => {
    if (text === '') return !field.required || 'write something';
    const parsed = parseValue(field, text);
    return parsed.ok || sanitizeLine(parsed.problem);
  };
  const config = { message, validate, theme: desk.theme };
  const otherwise = given === undefined ? {} : { default: sanitizeLine(written(given)) };
  const text = field.isSecret
    ? await password({ ...config, mask: '*' }, desk.newContext())
    : await input({ ...config, ...otherwise }, desk.newContext());
  const parsed = parseValue(field, text);
  return text !== '' && parsed.ok ? parsed.value : undefined;
}

async function askOne(
  desk: QuestionDesk,
  { choices, required }: Field,
  { given, message }: Asked,
): Promise<FieldValue | undefined> {
  const { select } = await import('@inquirer/prompts');
  const listed = choices.map((choice) => ({
    value: choice.value as string | symbol,
    name: nameOf(choice),
  }));
  const leaving = required ? [] : [{ value: nothing as string | symbol, name: '(leave it out)' }];
  const chosen = await select(
    {
      message,
      choices: [...listed, ...leaving],
      theme: desk.theme,
      loop: false,
      default: given ?? (required ? undefined : nothing),
    },
    desk.newContext(),
  );
  return typeof chosen === 'string' ? chosen : undefined;
}

async function askSeveral(
  desk: QuestionDesk,
  field: Field,
  { given, message }: Asked,
): Promise<FieldValue | undefined> {
  const { checkbox } = await import('@inquirer/prompts');
  const checked = new Set(Array.isArray(given) ? given : []);
  const chosen = await checkbox(
    {
      message,
      choices: field.choices.map((choice) => ({
        value: choice.value,
        name: nameOf(choice),
        checked: checked.has(choice.value),
      })),
      theme: desk.theme,
      loop: false,
      validate: (picked) => {
        if (picked.length === 0 && !field.required) return true;
        const counted = checkCount(
          field,
          picked.map(({ value }) => value),
        );
        return counted.ok || counted.problem;
      },
    },
    desk.newContext(),
  );
  return chosen.length === 0 && !field.required ? undefined : chosen;
}

/** What a field takes, in a few words of ours. */
function wantedOf({ kind, min, max, format }: Field): string[] {
  const what = {
    text: format === undefined ? [] : [sanitizeLine(format, 20)],
    number: ['a number'],
    integer: ['a whole number'],
    boolean: ['yes or no'],
    one: [],
    several: ['several'],
  }[kind];
  const isCounted = kind === 'text' && (min !== undefined || max !== undefined);
  const unit = isCounted ? ' characters' : '';
  if (min !== undefined && max !== undefined) return [...what, `${min} to ${max}${unit}`];
  if (min !== undefined) return [...what, `at least ${min}${unit}`];
  return max === undefined ? what : [...what, `at most ${max}${unit}`];
}

function nameOf({ value, title }: Choice): string {
  const shown = sanitizeLine(title, maxTitleLength);
  return title === value ? shown : `${shown} (${sanitizeLine(value, maxTitleLength)})`;
}

function written(value: FieldValue): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.join(',') : String(value);
}
