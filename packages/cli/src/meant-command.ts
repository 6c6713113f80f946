/** Other words for commands, as other programs have them; the help does not list them. */
const aliases: Readonly<Record<string, string>> = {
  ls: 'tools',
  list: 'tools',
  describe: 'tools',
  schema: 'tools',
  get: 'read',
  ping: 'inspect',
};

/** The command that a word means, which may be another word for it; else the word. */
export function meantCommand(word: string): string {
  return (Object.hasOwn(aliases, word) ? aliases[word] : undefined) ?? word;
}
