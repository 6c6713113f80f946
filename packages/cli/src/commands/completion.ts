import { basename } from 'node:path';
import { usageError } from '../command-error.js';
import { completeLine } from '../completion/complete-line.js';
import { installation, scripts, shells, type Shell } from '../completion/scripts.js';
import type { AddCommand } from '../context.js';
import { sanitizeLine } from '../sanitize.js';

const examples = `
Examples:
  $ longwire completion bash > ~/.local/share/bash-completion/completions/longwire
  $ source <(longwire completion zsh)
  $ longwire completion fish > ~/.config/fish/completions/longwire.fish`;

/** `longwire completion [shell]` */
export const addCompletion: AddCommand = (program, run) => {
  const completion = program
    .command('completion')
    .description('print what makes a shell complete commands, options, servers and tools')
    .argument('[shell]', shells.join(', '))
    .addHelpText('after', examples)
    .action((word: string | undefined) =>
      run(({ terminal, env }) => {
        if (word !== undefined) {
          terminal.write(scripts[shellOf(word)]);
          return Promise.resolve(0);
        }
        const shell = shells.find((each) => each === basename(env['SHELL'] ?? ''));
        for (const each of shell === undefined ? shells : [shell]) {
          terminal.print(`${each}:\n  ${installation[each]}`);
        }
        return Promise.resolve(0);
      }),
    );
  completion
    .command('words', { hidden: true })
    .argument('<shell>')
    .argument('<line>')
    .option('--part <text>')
    .action((word: string, line: string, { part }: { part?: string }) =>
      run(async (context) => {
        const shell = shellOf(word);
        // bash completes the part of a word that comes after the last `:` or `=`.
        const last = /\S*$/.exec(line)?.[0] ?? '';
        const cut = part !== undefined && last.endsWith(part) ? last.length - part.length : 0;
        for (const { value, about = '' } of await completeLine(context, line)) {
          const isTold = shell !== 'bash' && about !== '';
          context.terminal.print(
            value.slice(cut) + (isTold ? `\t${sanitizeLine(about, 100)}` : ''),
          );
        }
        return 0;
      }),
    );
};

function shellOf(word: string): Shell {
  const shell = shells.find((each) => each === word);
  if (shell !== undefined) return shell;
  throw usageError(
    `there is no completion for "${sanitizeLine(word, 40)}": use ${shells.join(', ')}`,
  );
}
