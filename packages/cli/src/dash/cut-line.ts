import { cutValue, type RecordedLine } from '@longwire/recording';

/** How much of a value the page is given without asking for it. */
const MAX_VALUE_BYTES = 2048;

/** The same line with its large values cut; itself if it has none. `text` is the line as JSON. */
export function cutLine(line: RecordedLine, text: string): RecordedLine {
  // A character may take three bytes.
  if (text.length * 3 <= MAX_VALUE_BYTES) return line;
  switch (line.type) {
    case 'call':
      return withCut(line, 'arguments');
    case 'end':
      return withCut(line, 'result');
    case 'notification':
      return withCut(line, 'params');
    case 'message':
      return withCut(line, 'body');
    default:
      return line;
  }
}

function withCut<Line extends RecordedLine, Name extends keyof Line>(line: Line, name: Name): Line {
  const value = line[name];
  const cut = value === undefined ? value : cutValue(value, MAX_VALUE_BYTES);
  return cut === value ? line : { ...line, [name]: cut };
}
