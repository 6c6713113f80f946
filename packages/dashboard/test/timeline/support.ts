import { Picture, type RecordedLine } from '@longwire/recording';

type Members<Line> = Line extends { type: infer Type }
  ? { type: Type } & Omit<Line, 'type' | 'server'>
  : never;

/** Lines of one server. */
export function lines(server: string, ...given: readonly Members<RecordedLine>[]): RecordedLine[] {
  return given.map((line) => ({ ...line, server }) as RecordedLine);
}

export function pictureOf(...given: readonly (readonly RecordedLine[])[]): Picture {
  const picture = new Picture();
  for (const line of given.flat()) picture.apply(line);
  return picture;
}

/** A call of the tool `search`, sent once. */
export function called(call: number, at: number, more: object = {}): RecordedLine[] {
  return lines(
    'docs',
    { type: 'call', at, call, method: 'tools/call', name: 'search', ...more },
    { type: 'attempt', at, call, attempt: 1 },
  );
}

export function answered(call: number, at: number, result: unknown = {}): RecordedLine[] {
  return lines('docs', { type: 'end', at, call, outcome: 'result', durationMs: 1, result });
}
