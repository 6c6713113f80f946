/**
 * The lines of a program that somebody has to write and to read: not those that are empty, hold only
 * a comment (or a docstring), or belong to an import. The rest counts, braces, too.
 */
export function codeLines(text: string, language: 'js' | 'py'): number {
  const { comment, opens, closes, imports, importEnds } = SYNTAX[language];
  let count = 0;
  let until: RegExp | undefined;
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (until !== undefined) {
      if (until.test(line)) until = undefined;
    } else if (opens.test(line)) {
      if (!closes.test(line)) until = closes;
    } else if (imports.test(line)) {
      if (!importEnds.test(line)) until = importEnds;
    } else if (line !== '' && !comment.test(line)) {
      count += 1;
    }
  }
  return count;
}

/** What begins and ends what is not counted. */
const SYNTAX = {
  js: {
    comment: /^\/\//,
    opens: /^\/\*/,
    closes: /\*\/$/,
    imports: /^import[ {]/,
    importEnds: /';$/,
  },
  py: {
    comment: /^#/,
    opens: /^"""/,
    closes: /."""$|^"""$/,
    imports: /^(import|from) /,
    importEnds: /^\)$|^(from|import) .*[^(]$/,
  },
} as const;
