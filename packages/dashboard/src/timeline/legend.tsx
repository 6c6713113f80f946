import { useEffect, useRef } from 'preact/hooks';
import type { CallPicture, CertaintyName } from '@longwire/recording';
import { theme } from '../state/theme.js';
import { readColours } from './colours.js';
import { drawSpan } from './draw-span.js';
import { styleOfEnd, type SpanStyle } from './span-style.js';

const WIDTH = 30;
const HEIGHT = 16;

const ended = (
  outcome: 'result' | 'tool-error' | 'error',
  certainty?: CertaintyName,
): SpanStyle => {
  const error = certainty && { code: 'error', message: '', certainty };
  const end: CallPicture['end'] = { at: 0, durationMs: 0, outcome, ...(error && { error }) };
  return styleOfEnd({ end });
};

/** What each kind of span means. */
const SAMPLES: readonly { readonly text: string; readonly style: SpanStyle }[] = [
  { text: 'in flight', style: { ...styleOfEnd({}), isOpen: true } },
  { text: 'result', style: ended('result') },
  { text: 'tool-error, answered', style: ended('tool-error') },
  { text: 'outcome-unknown', style: ended('error', 'outcome-unknown') },
  { text: 'refused', style: ended('error', 'refused') },
  { text: 'not-sent', style: ended('error', 'not-sent') },
];

/** How spans and lines are drawn, and what that means. */
export function Legend() {
  return (
    <ul class="timeline-legend" aria-label="How calls are drawn">
      {SAMPLES.map(({ text, style }) => (
        <li key={text}>
          <Sample style={style} look={theme.value} /> {style.sign} {text}
        </li>
      ))}
      <li>
        <span class="tone-warning">×</span> connection lost
      </li>
      <li>
        <span class="tone-busy">▼</span> sent again
      </li>
      <li>
        <span class="tone-bad">┃</span> not sent again
      </li>
    </ul>
  );
}

function Sample({ style, look }: { style: SpanStyle; look: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const paint = (): void => paintSample(element, style);
    paint();
    const isDark = matchMedia('(prefers-color-scheme: dark)');
    isDark.addEventListener('change', paint);
    return () => isDark.removeEventListener('change', paint);
  }, [look]);
  return <canvas ref={canvas} width={2 * WIDTH} height={2 * HEIGHT} aria-hidden="true" />;
}

function paintSample(canvas: HTMLCanvasElement, style: SpanStyle): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.setTransform(2, 0, 0, 2, 0, 0);
  const place = { x: 1, y: 1, width: WIDTH - 2, height: HEIGHT - 2 };
  const segments = [{ ...place, kind: 'sent' as const }];
  drawSpan(context, place, { style, segments, colours: readColours(canvas) });
}
