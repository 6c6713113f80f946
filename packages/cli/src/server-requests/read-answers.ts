import type { ElicitRequestFormParams } from '@longwire/client';
import { nameList } from '@longwire/client/internal';
import { sanitizeLine } from '../sanitize.js';
import type { FormValues } from './ask-form.js';
import { formFields, parseValue } from './form-fields.js';

/** Nobody answers more than this. */
const maxFields = 100;

/** Why a form cannot be answered without a person. */
export interface FormProblem {
  text: string;
  /** Nor can a person. */
  isFinal: boolean;
}

/**
 * The values that `--answer` has for a form, with the form's own defaults where all that it requires
 * is there.
 */
export function readAnswers(
  params: ElicitRequestFormParams,
  answers: ReadonlyMap<string, string>,
): { values: FormValues; problems: FormProblem[] } {
  const fields = formFields(params);
  const values: FormValues = new Map();
  if (fields.length > maxFields) {
    const text = `for it wants ${fields.length} values, and at most ${maxFields} are asked about`;
    return { values, problems: [{ text, isFinal: true }] };
  }
  const problems: FormProblem[] = [];
  for (const field of fields) {
    const written = answers.get(field.name);
    if (written === undefined) continue;
    const parsed = parseValue(field, written);
    if (parsed.ok) values.set(field.name, parsed.value);
    else {
      const text = `for --answer ${sanitizeLine(field.name, 100)} is wrong: ${sanitizeLine(parsed.problem)}`;
      problems.push({ text, isFinal: false });
    }
  }
  const missing = fields.filter(
    ({ name, required, default: otherwise }) =>
      required && otherwise === undefined && !values.has(name),
  );
  if (problems.length === 0 && (values.size === 0 || missing.length > 0)) {
    const names = (missing.length > 0 ? missing : fields).map(({ name }) => sanitizeLine(name, 60));
    const example = names[0] === undefined ? '' : `; --answer ${names[0]}=… answers it`;
    const what = names.length === 0 ? 'a yes' : nameList(names.slice(0, 10));
    problems.push({
      text: `for it wants ${what}, and nobody is here to say it${example}`,
      isFinal: false,
    });
  }
  if (problems.length > 0) return { values, problems };
  for (const { name, default: otherwise } of fields) {
    if (otherwise !== undefined && !values.has(name)) values.set(name, otherwise);
  }
  return { values, problems };
}
