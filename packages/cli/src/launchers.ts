/** Programs that start servers. */
const launchers: readonly string[] = [
  'npx',
  'node',
  'uvx',
  'uv',
  'python',
  'python3',
  'docker',
  'podman',
  'bunx',
  'bun',
  'deno',
  'pnpm',
  'yarn',
  'pipx',
  'java',
  'dotnet',
  'go',
];

/** Whether a word is a program that starts servers, which belongs after `--`. */
export function isLauncher(word: string): boolean {
  return launchers.includes(word) || /^\.{0,2}\/|^[\w./-]+\.(?:[cm]?[jt]s|py|sh|exe)$/.test(word);
}

/** What to write for a program that stands before `--`. It repeats nothing that may be a secret. */
export function commandBelongsAfter(word: string, command: string = 'tools'): string {
  return `what starts a server comes after --, as in longwire ${command} -- ${word} …`;
}
