import { convertServer } from '@longwire/client/config';
import { isCredentialName } from '@longwire/client/internal';
import type { Entry } from './server-entry.js';

/** A server of another program as a `longwire.json` has it, and the variables that it needs to be set. */
export interface Imported {
  entry: Entry;
  /** Secrets of the other file, which are not copied: each is a variable now. */
  secrets: string[];
}

/**
 * Takes over a server of another program. A secret in its file is not copied, as a `longwire.json` may be
 * in a repository: it becomes a variable.
 *
 * @throws Error that says why it cannot be taken over.
 */
export function importedEntry(
  name: string,
  written: unknown,
  directories: Parameters<typeof convertServer>[1],
): Imported {
  const entry: Entry = { ...convertServer(written, directories) };
  const secrets: string[] = [];
  const own = (
    values: Readonly<Record<string, string>>,
    variableOf: (key: string) => string,
  ): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => {
        if (!isCredentialName(key) || value === '' || /(?<!\$)\$\{/.test(value))
          return [key, value];
        const variable = variableOf(key);
        secrets.push(variable);
        const [, scheme = ''] = /^((?:Bearer|Basic|Token) )/i.exec(value) ?? [];
        return [key, `${scheme}\${${variable}}`];
      }),
    );
  if (entry.headers !== undefined) {
    entry.headers = own(entry.headers, (key) => capitals(`${name}_${key}`));
  }
  if (entry.env !== undefined) entry.env = own(entry.env, capitals);
  return { entry, secrets };
}

function capitals(name: string): string {
  return name
    .toUpperCase()
    .replace(/\W+/g, '_')
    .replace(/^(?=\d)/, '_');
}
