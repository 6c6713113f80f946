import type { Command } from 'commander';
import { usageError } from '../command-error.js';
import { collect } from '../options.js';

/** How a command answers what its servers ask. */
export interface ServerRequestOptions {
  /** Of `--answer`: what a form is given, by the names of its fields. */
  answer?: readonly string[];
  /** Of `--root`: the folders that the server is told of. Default: it is told of none. */
  root?: readonly string[];
  /** Of `--allow-sampling`: Claude answers what the server asks of a model. */
  allowSampling?: boolean;
  /** Of `--yes`: without asking a person first. */
  yes?: boolean | undefined;
}

/** Adds the options to a command whose servers may ask. */
export function addServerRequestOptions(command: Command): Command {
  command
    .option('--answer <name=value>', 'what to answer when the server asks (repeatable)', collect)
    .option('--root <folder>', 'a folder that the server may know of (repeatable)', collect)
    .option('--allow-sampling', 'let the server ask Claude; each request is asked about');
  // Where calls are asked about, too, it goes for both.
  if (command.options.some(({ long }) => long === '--yes')) return command;
  return command.option('-y, --yes', 'with --allow-sampling: do not ask about each request');
}

/**
 * The answers of `--answer`, by name.
 *
 * @throws LongwireError (usage).
 */
export function parseAnswers(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words.map((word) => {
      const equals = word.indexOf('=');
      if (equals < 1) throw usageError(`--answer "${word}" is no answer: write name=value`);
      return [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}
