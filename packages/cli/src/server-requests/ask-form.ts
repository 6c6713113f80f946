import type { ElicitRequestFormParams, ElicitResult } from '@longwire/client';
import { askWord, type QuestionDesk } from '../question-desk.js';
import { sanitizeLine, visibleJson } from '../sanitize.js';
import { askField } from './ask-field.js';
import { formFields, type Field, type FieldValue } from './form-fields.js';
import { quoted } from './quote.js';

/** The values of a form, by name. */
export type FormValues = Map<string, FieldValue>;

const maxServerLength = 100;

/** Asks a person for the values of a form, field by field, and shows them before they are sent. */
export async function askForm(
  desk: QuestionDesk,
  { server, params, known }: { server: string; params: ElicitRequestFormParams; known: FormValues },
): Promise<ElicitResult> {
  const fields = formFields(params);
  const name = visibleJson(sanitizeLine(server, maxServerLength));
  desk.show(`The server ${name} asks:`);
  for (const line of await quoted(params.message, desk.columns)) desk.show(line);
  if (fields.length === 0) {
    const answers = { accept: ['y', 'yes'], decline: ['n', 'no'], cancel: ['c', 'cancel'] };
    const question = `Say yes to the server ${name}? (y)es, (n)o, (C)ancel`;
    const action = await askWord(desk, question, { lines: [], answers });
    return action === 'accept' ? { action, content: {} } : { action };
  }
  const first = await askWord(
    desk,
    `Answer the server ${name} with ${fields.length} ${fields.length === 1 ? 'value' : 'values'}? (d)ecline, (c)ancel, (A)nswer`,
    {
      lines: [],
      answers: { decline: ['d', 'decline'], cancel: ['c', 'cancel'], answer: ['a', 'answer'] },
    },
  );
  if (first !== 'answer') return { action: first };
  let values = known;
  for (;;) {
    values = await askFields(desk, fields, values);
    const step = await askWord(
      desk,
      `Send this to the server ${name}? (e)dit, (d)ecline, (c)ancel, (S)end`,
      {
        lines: review(fields, values),
        answers: {
          edit: ['e', 'edit'],
          decline: ['d', 'decline'],
          cancel: ['c', 'cancel'],
          accept: ['s', 'send'],
        },
      },
    );
    if (step === 'accept') return { action: step, content: Object.fromEntries(values) };
    if (step !== 'edit') return { action: step };
  }
}

async function askFields(
  desk: QuestionDesk,
  fields: readonly Field[],
  before: FormValues,
): Promise<FormValues> {
  const values: FormValues = new Map();
  for (const [index, field] of fields.entries()) {
    const given = before.has(field.name) ? before.get(field.name) : field.default;
    const value = await askField(desk, field, { given, place: `${index + 1}/${fields.length}` });
    if (value !== undefined) values.set(field.name, value);
  }
  return values;
}

function review(fields: readonly Field[], values: FormValues): string[] {
  return fields.map(({ name, isSecret }) => {
    const value = values.get(name);
    const shown = isSecret ? '***' : visibleJson(value);
    return `  ${visibleJson(name)}: ${value === undefined ? 'left out' : shown}`;
  });
}
