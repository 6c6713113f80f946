import { UriTemplate } from '@modelcontextprotocol/client';
import { didYouMean, nameList, shortName } from '@longwire/client/internal';
import { usageError } from './command-error.js';

/** A variable of a template. */
export interface TemplateVariable {
  name: string;
  /** Whether the URI is incomplete without it: those of a query or a fragment may be left out. */
  required: boolean;
  /** Whether it is a list (`{path*}`). */
  isList: boolean;
}

/** The variables of a URI template; none if it is a URI. https://www.rfc-editor.org/rfc/rfc6570 */
export function templateVariables(template: string): TemplateVariable[] {
  const found = new Map<string, TemplateVariable>();
  for (const [, operator = '', list = ''] of template.matchAll(/\{([+#./;?&]?)([^{}]*)\}/g)) {
    for (const spec of list.split(',')) {
      const name = spec.replace(/\*$|:\d+$/, '').trim();
      if (name === '' || found.has(name)) continue;
      const required = operator === '' || operator === '+';
      found.set(name, { name, required, isList: spec.trim().endsWith('*') });
    }
  }
  return [...found.values()];
}

/**
 * A template with its variables filled in.
 *
 * @throws LongwireError (usage) that names the variables that are missing, or that it does not have.
 */
export function expandTemplate(template: string, values: Readonly<Record<string, string>>): string {
  const variables = templateVariables(template);
  const names = variables.map(({ name }) => name);
  const shown = shortName(template);
  for (const given of Object.keys(values)) {
    if (names.includes(given)) continue;
    const there = names.length === 0 ? ' It has none.' : ` It has ${nameList(names)}.`;
    const hint = didYouMean(given, names) || there;
    throw usageError(`${shown} has no variable \`${shortName(given)}\`.${hint}`);
  }
  const missing = variables.filter(({ name, required }) => required && !values[name]);
  if (missing.length > 0) {
    const lacking = missing.map(({ name }) => name);
    const example = lacking.slice(0, 3).map((name) => `${shortName(name)}=…`);
    throw usageError(`${shown} lacks ${nameList(lacking)}: write ${example.join(' ')} after it`);
  }
  if (names.length === 0) return template;
  const listed = variables.filter(({ name, isList }) => isList && name in values);
  const lists = Object.fromEntries(
    listed.map(({ name }) => [name, values[name]?.split(',') ?? '']),
  );
  try {
    return new UriTemplate(template).expand({ ...values, ...lists });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw usageError(`${shown} is no URI template: ${reason}`, { cause });
  }
}
