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
  const secrets = new Set<string>();
  /** The value, or the variable that stands for it where its name is that of a credential. */
  const withoutSecret = (
    key: string,
    value: string,
    variable = capitals(`${name}_${key}`),
  ): string => {
    if (!isCredentialName(key) || value === '' || hasVariable(value)) return value;
    secrets.add(variable);
    const [, scheme = ''] = /^((?:Bearer|Basic|Token) )/i.exec(value) ?? [];
    return `${scheme}\${${variable}}`;
  };
  const ofUrl = (url: string): string =>
    url
      .replace(
        /^([a-z][a-z0-9+.-]*:\/\/)([^/?#@]+)(?=@)/i,
        (whole, scheme: string, user: string) => {
          if (hasVariable(user)) return whole;
          const variable = capitals(`${name}_user`);
          secrets.add(variable);
          return `${scheme}\${${variable}}`;
        },
      )
      .replace(
        /(?<=[?&])([^=&#]+)=([^&#]*)/g,
        (_whole, key: string, value: string) => `${key}=${withoutSecret(key, value)}`,
      );
  const { url, args, headers, env } = entry;
  if (url !== undefined) entry.url = ofUrl(url);
  if (args !== undefined) {
    entry.args = args.map((word, index) => {
      if (/^[a-z][a-z0-9+.-]*:\/\//i.test(word)) return ofUrl(word);
      const [, start = '', key = '', value = ''] = /^(-*([\w.-]+)[=:]\s*)(.+)$/s.exec(word) ?? [];
      if (start !== '') return start + withoutSecret(key, value);
      const [, flag = ''] = /^--?([\w-]+)$/.exec(args[index - 1] ?? '') ?? [];
      return word.startsWith('-') ? word : withoutSecret(flag, word);
    });
  }
  if (headers !== undefined) {
    entry.headers = mapped(headers, (key, value) => withoutSecret(key, value));
  }
  if (env !== undefined) {
    entry.env = mapped(env, (key, value) => withoutSecret(key, value, capitals(key)));
  }
  return { entry, secrets: [...secrets] };
}

/** Whether a text has a variable, and so is no secret itself. */
function hasVariable(text: string): boolean {
  return /(?<!\$)\$\{/.test(text);
}

function mapped(
  values: Readonly<Record<string, string>>,
  change: (key: string, value: string) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, change(key, value)]),
  );
}

function capitals(name: string): string {
  return name
    .toUpperCase()
    .replace(/\W+/g, '_')
    .replace(/^(?=\d)/, '_');
}
