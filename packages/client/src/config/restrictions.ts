import { exactPattern } from '../group/name-patterns.js';
import type { ToolsConfig } from './types.js';

/** What a file of another program restricts of a server. */
export interface Restrictions {
  /** Which of its tools may be used. */
  tools: ToolsConfig;
  /** Whether it is switched off there. */
  disabled: boolean;
}

/**
 * What restricts in the files of other programs, spelt in any case, with or without underscores:
 * `enabledTools`, `includeTools`, `enabled_tools` (Codex), `tools` (Copilot) name what there is;
 * `disabledTools` (Kiro, Roo Code), `excludeTools` (Gemini), `disabled_tools` what there is not.
 */
const allowing = /^(?:(?:enabled?|included?|allow(?:ed)?)tools?|tools)$/;
const denying = /^(?:disabled?|excluded?|disallow(?:ed)?|den(?:y|ied)|block(?:ed)?)tools?$/;

/** Whether the server is switched on, or off. */
const switchesOn: readonly string[] = ['enabled', 'isactive'];
const switchesOff: readonly string[] = ['disabled', 'isdisabled'];

/** Keys that allow calls without asking there. A file of another program loosens nothing here. */
const loosening = /^(?:(?:always|auto)(?:allow|approve)(?:d?tools?)?|trust(?:ed)?|autoapproved)$/;

function normalized(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '');
}

/** Whether a key restricts what the server may do. */
export function isRestriction(key: string): boolean {
  const name = normalized(key);
  return (
    allowing.test(name) ||
    denying.test(name) ||
    switchesOn.includes(name) ||
    switchesOff.includes(name)
  );
}

/** Whether a key allows calls without asking. */
export function isLoosening(key: string): boolean {
  return loosening.test(normalized(key));
}

/** Whether another program's file switches a server off. */
export function isSwitchedOff(server: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(server).some(([key, value]) => {
    const name = normalized(key);
    return (
      (switchesOn.includes(name) && value === false) ||
      (switchesOff.includes(name) && value === true)
    );
  });
}

/**
 * Reads what restricts a server of another program's file. Names of tools are exact there, `*`
 * included: a name does not become one of our patterns.
 *
 * @throws Error for a restriction that cannot be understood: it must not be lost.
 */
export function readRestrictions(server: Readonly<Record<string, unknown>>): Restrictions {
  const allowed: string[][] = [];
  const denied: string[] = [];
  for (const [key, value] of Object.entries(server)) {
    const name = normalized(key);
    if (!isRestriction(key) || value === null) continue;
    if (switchesOn.includes(name) || switchesOff.includes(name)) {
      if (typeof value !== 'boolean') throw unclear(key, 'true or false');
    } else if (allowing.test(name)) {
      const names = namesIn(key, value);
      // GitHub Copilot asks for `tools`, and `["*"]` is all of them.
      if (name !== 'tools' || !names.includes('*')) allowed.push(names);
    } else {
      const names = namesIn(key, value);
      const pattern = names.find((each) => each.includes('*'));
      if (pattern !== undefined) {
        throw new Error(
          `"${key}" has ${JSON.stringify(pattern)}: write out the names of the tools, as patterns are not read here`,
        );
      }
      denied.push(...names);
    }
  }
  const [first, ...others] = allowed;
  const include = first?.filter((name) => others.every((list) => list.includes(name)));
  return {
    tools: {
      ...(include !== undefined && { include: include.map(exactPattern) }),
      ...(denied.length > 0 && { exclude: denied.map(exactPattern) }),
    },
    disabled: isSwitchedOff(server),
  };
}

function namesIn(key: string, value: unknown): string[] {
  const isList = Array.isArray(value);
  if (!isList || value.some((name) => typeof name !== 'string' || name === '')) {
    throw unclear(key, 'a list of names of tools');
  }
  return value as string[];
}

function unclear(key: string, expected: string): Error {
  return new Error(
    `"${key}" restricts the server, and is not understood: expected ${expected}; correct it, or take it away`,
  );
}
