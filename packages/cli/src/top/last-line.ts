import type { CallPicture, Picture } from '@longwire/recording';
import { callName, type ViewFilter } from '@longwire/recording/shown';
import type { FilterPrompt } from './filter-prompt.js';
import type { Opened } from './opened-view.js';
import { stateOf } from './server-columns.js';
import type { Away } from './source.js';
import { line, plain, span, type ScreenLine } from './spans.js';

/** What the last line may be about; the first of these that is there. */
export interface LastLineOptions {
  /** The call about which somebody is asked. */
  readonly asked: CallPicture | undefined;
  readonly prompt: FilterPrompt | undefined;
  readonly notice: string | undefined;
  /** Why what is shown is not what happens. */
  readonly away: Away | undefined;
  readonly opened: Opened | undefined;
  readonly filterText: string;
  readonly filter: ViewFilter;
  /** What is selected in the lists. */
  readonly selected: Opened | undefined;
  readonly picture: Picture;
}

/** Completions that are shown at once. */
const MAX_OFFERED = 8;
const HINTS = '? keys  / filter  Enter opens  Tab next list  Space holds  c cancels  q ends';
const OPENED_HINTS = 'Esc back  j k scroll  q ends';
const CALL_HINTS = 'Esc back  j k scroll  c cancels  q ends';

/** The last line: a question, the filter that is written, something to know, or keys. */
export function lastLine(options: LastLineOptions): ScreenLine {
  const { asked, prompt, notice, away, opened, filterText, filter } = options;
  if (asked !== undefined) {
    const { call, server } = asked;
    const name = `${plain(callName(asked), 40)} on ${plain(server, 40)}`;
    return line(`Cancel call ${call}, ${name}? It may have run. y n`, 'warning');
  }
  if (prompt !== undefined) return line(`/${writtenFilter(prompt.text)}`);
  if (notice !== undefined) return line(notice, 'warning');
  if (away !== undefined) return line(plain(away.why), 'warning');
  if (opened !== undefined) return line(opened.is === 'call' ? CALL_HINTS : OPENED_HINTS, 'quiet');
  if (filterText !== '') {
    const [problem] = filter.problems;
    const about = problem === undefined ? 'Esc clears it' : plain(problem);
    const tone = problem === undefined ? 'quiet' : 'warning';
    return { spans: [span(`/${writtenFilter(filterText)}  `), span(about, tone)] };
  }
  return trouble(options) ?? line(HINTS, 'quiet');
}

/** Why the selected server is away. */
function trouble({ selected, picture }: LastLineOptions): ScreenLine | undefined {
  const server = selected?.is === 'server' ? picture.servers.get(selected.id) : undefined;
  const state = server && stateOf(server);
  if (server === undefined || state?.reason === undefined || state.state === 'ready') {
    return undefined;
  }
  const why = `${plain(state.state, 20)}: ${plain(state.reason.message)}`;
  return line(`${plain(server.name, 30)} is ${why}`, 'warning');
}

/** What can be written where the caret is, in at most so many lines. */
export function offeredLines({ completions, chosen }: FilterPrompt, room: number): ScreenLine[] {
  const count = Math.max(0, Math.min(MAX_OFFERED, room));
  const from = Math.max(0, chosen - count + 1);
  return completions.slice(from, from + count).map(({ text, about = '' }, index) => {
    const isSelected = from + index === chosen;
    const mark = isSelected ? '>' : ' ';
    const spans = [span(`${mark} ${plain(text, 60)}`), span(`  ${plain(about)}`, 'quiet')];
    return { spans, isSelected };
  });
}

/** The text of a filter as it is shown: a person types it, and what servers say completes it. */
export function writtenFilter(text: string): string {
  return text.replace(/\p{C}/gu, '');
}
