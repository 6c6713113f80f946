import { usageError } from './command-error.js';

/**
 * Reads `NAME=value` of every `--env`, or `NAME`, whose value `env` has; of one name the last is
 * taken.
 *
 * @throws LongwireError (usage) that repeats nothing of a value.
 */
export function parseVariables(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, value] = /^([^=\s]+)(?:=(.*))?$/s.exec(word) ?? [];
      // A word that is no variable may be a secret that was pasted alone: it is not repeated.
      if (name === undefined) throw usageError('--env wants NAME=value, or NAME alone');
      if (value !== undefined) return [name, value];
      const inherited = env[name];
      if (inherited !== undefined) return [name, inherited];
      const why = 'it wants NAME=value, or the NAME of a variable that is set';
      throw usageError(
        /^[A-Z][A-Z_\d]{0,39}$/.test(name)
          ? `--env ${name}: that is not set; ${why}`
          : `--env: ${why}`,
      );
    }),
  );
}
