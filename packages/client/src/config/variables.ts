import { inputVariable } from './inputs.js';

/** How `${NAME}` is read. */
export interface ExpansionOptions {
  /** The value of a variable; `undefined` where it is not set. */
  lookup: (name: string) => string | undefined;
  /** Names of variables beside those of the environment: `workspaceFolder`, `/`. */
  predefined: ReadonlySet<string>;
  /** The answer to `${input:ID}`, if that is a variable here; `undefined` where there is none. */
  input?: (id: string) => string | undefined;
  /** Whether a variable may be empty here; else an empty one counts as not set. */
  mayBeEmpty: boolean;
  /** Called with what is wrong, and with the variable that has no value, if that is it. */
  report: (message: string, variable?: string) => void;
}

/** How deep defaults may be nested. */
const MAX_NESTING = 10;

const NAME = /^(?:env:)?([A-Za-z_]\w*)$/;

/**
 * Expands the variables in a text: `${NAME}`, or `${NAME:-default}`. As in a shell, the default is
 * used where the variable is not set or is empty. It may have variables of its own. `${env:NAME}` is
 * `${NAME}`. `$${` is a literal `${`.
 */
export function expandVariables(text: string, options: ExpansionOptions): string {
  let expanded = '';
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf('${', at);
    if (start === -1) break;
    if (text[start - 1] === '$' && start > at) {
      expanded += `${text.slice(at, start - 1)}\${`;
      at = start + 2;
      continue;
    }
    const end = closingBrace(text, start + 2);
    if (end === -1) {
      options.report('"${" without "}": write "$${" where no variable is meant');
      return text;
    }
    if (end === 'too-deep') {
      options.report(`"\${" nested deeper than ${MAX_NESTING} times`);
      return text;
    }
    expanded += text.slice(at, start) + valueOf(text.slice(start + 2, end), options);
    at = end + 1;
  }
  return expanded + text.slice(at);
}

function valueOf(inner: string, options: ExpansionOptions): string {
  const { lookup, mayBeEmpty, predefined, report, input } = options;
  const [, id] = /^input:(.+)$/.exec(inner) ?? [];
  if (id !== undefined && input !== undefined) {
    const answer = input(id);
    const how = `set ${inputVariable(id)}`;
    if (answer === undefined) report(`\${input:${id}} is asked of a person: ${how}`, `input:${id}`);
    return answer ?? '';
  }
  const split = inner.indexOf(':-');
  const written = split === -1 ? inner : inner.slice(0, split);
  const fallback = split === -1 ? undefined : inner.slice(split + 2);
  const name = NAME.exec(written)?.[1] ?? (predefined.has(written) ? written : undefined);
  if (name === undefined) {
    report(complaint(written));
    return '';
  }
  const value = lookup(name);
  if (value !== undefined && (value !== '' || (mayBeEmpty && fallback === undefined))) return value;
  const state = value === undefined ? 'not set' : 'empty';
  if (fallback === undefined) {
    report(`the variable ${name} is ${state}: set it, or write a default: \${${name}:-…}`, name);
    return '';
  }
  let isReported = false;
  const otherwise = expandVariables(fallback, {
    lookup,
    predefined,
    mayBeEmpty: true,
    report: (message, variable) => {
      isReported = true;
      report(message, variable);
    },
  });
  if (otherwise === '' && !mayBeEmpty && !isReported) {
    report(`the variable ${name} is ${state}, and its default is empty: set it`, name);
  }
  return otherwise;
}

function complaint(written: string): string {
  const shown = `\${${written.slice(0, 60)}}`;
  const [, input] = /^input:(.+)$/.exec(written) ?? [];
  if (input !== undefined) {
    const name = input.toUpperCase().replace(/\W+/g, '_');
    return `${shown} is asked of a person, which is not done here: set a variable such as ${name}, and write \${${name}} instead`;
  }
  if (written.startsWith('file:')) {
    return `${shown} is the content of a file, which is not read here: write \${NAME} instead`;
  }
  return `${shown} is no variable: write \${NAME}, or "$\${" where none is meant`;
}

/** Where the brace closes that opens before `from`; a default may have braces of its own. */
function closingBrace(text: string, from: number): number | 'too-deep' {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++;
    if (depth > MAX_NESTING) return 'too-deep';
    if (text[at] !== '}') continue;
    if (depth === 0) return at;
    depth--;
  }
  return -1;
}
