/**
 * Splits a line of the prompt into words. Quotes around a word, or around the value after `name=`, are
 * removed; what follows `name:=` is JSON and stays as it is, with its blanks.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote: { character: string; kept: boolean } | undefined;
  let depth = 0;
  let started = false;
  for (let index = 0; index < line.length; index++) {
    const character = line[index] ?? '';
    const isJson = word.includes(':=');
    if (quote !== undefined) {
      if (character === '\\' && index + 1 < line.length) {
        const next = line[++index] ?? '';
        const isEscape = next === quote.character || next === '\\';
        word += quote.kept || !isEscape ? character + next : next;
      } else if (character === quote.character) {
        if (quote.kept) word += character;
        quote = undefined;
      } else {
        word += character;
      }
    } else if (/\s/.test(character) && depth === 0) {
      if (started) words.push(word);
      word = '';
      started = false;
    } else {
      started = true;
      const opensQuote = isJson ? character === '"' : `"'`.includes(character);
      if (opensQuote && (isJson || word === '' || word.endsWith('='))) {
        quote = { character, kept: isJson };
        if (isJson) word += character;
        continue;
      }
      if (isJson && '[{'.includes(character)) depth++;
      if (isJson && ']}'.includes(character)) depth = Math.max(0, depth - 1);
      word += character;
    }
  }
  if (started) words.push(word);
  return words;
}
