import type { Tone } from '@longwire/recording/shown';
import type { Colours } from './colours.js';
import type { Place } from './layout.js';
import type { SpanStyle } from './span-style.js';

/** A part of a span in pixels. */
export interface DrawnSegment {
  readonly x: number;
  readonly width: number;
  readonly kind: 'sent' | 'waiting' | 'lost';
}

const RADIUS = 3;
const NARROW_PX = 8;
const HATCH_PX = 5;

/** The colour of a tone. */
export function toneColour(tone: Tone, colours: Colours): string {
  return tone === 'quiet' ? colours.muted : colours[tone];
}

/** Draws a span: what fills it, its parts, its outline. */
export function drawSpan(
  context: CanvasRenderingContext2D,
  place: Place,
  {
    style,
    segments,
    colours,
  }: {
    readonly style: SpanStyle;
    readonly segments: readonly DrawnSegment[];
    readonly colours: Colours;
  },
): void {
  const { x, y, width, height } = place;
  const { tone, fill, isDashed, isOpen } = style;
  const colour = toneColour(tone, colours);
  const isNarrow = width < NARROW_PX;
  context.save();
  context.beginPath();
  context.roundRect(x, y, width, height, isOpen ? [RADIUS, 0, 0, RADIUS] : RADIUS);
  // Lines of causes end behind it.
  context.fillStyle = colours.surface;
  context.fill();
  context.clip();
  context.fillStyle = colour;
  context.strokeStyle = colour;
  for (const segment of segments) {
    if (segment.kind !== 'sent') drawGap(context, place, segment, colours);
    else if (fill !== 'hollow') {
      context.globalAlpha = alphaOf(style, isNarrow);
      context.fillRect(segment.x, y, segment.width, height);
      context.globalAlpha = 1;
      if (fill === 'hatched') hatch(context, { ...place, x: segment.x, width: segment.width });
    }
  }
  context.restore();
  // What is well and narrow is many, and needs no outline.
  if (isNarrow && tone === 'good') return;
  context.strokeStyle = colour;
  context.lineWidth = 1.25;
  context.setLineDash(isDashed && !isNarrow ? [4, 3] : []);
  context.beginPath();
  if (isOpen) {
    // No line at its end: it goes on.
    context.moveTo(x + width, y + 0.5);
    context.lineTo(x + 0.5, y + 0.5);
    context.lineTo(x + 0.5, y + height - 0.5);
    context.lineTo(x + width, y + height - 0.5);
  } else {
    context.roundRect(x + 0.5, y + 0.5, Math.max(1, width - 1), height - 1, RADIUS);
  }
  context.stroke();
  context.setLineDash([]);
}

/** Narrow spans are stronger, so that they are seen; what went wrong most of all. */
function alphaOf({ tone, fill }: SpanStyle, isNarrow: boolean): number {
  if (!isNarrow || fill !== 'solid') return 0.2;
  return tone === 'good' ? 0.5 : 0.85;
}

/** Diagonal lines over a place. */
export function hatch(context: CanvasRenderingContext2D, place: Place): void {
  const { x, y, width, height } = place;
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.lineWidth = 1.5;
  context.beginPath();
  for (let left = x - height; left < x + width; left += HATCH_PX) {
    context.moveTo(left, y + height);
    context.lineTo(left + height, y);
  }
  context.stroke();
  context.restore();
}

function drawGap(
  context: CanvasRenderingContext2D,
  { y, height }: Place,
  { x, width, kind }: DrawnSegment,
  colours: Colours,
): void {
  const middle = Math.round(y + height / 2) + 0.5;
  context.save();
  context.strokeStyle = kind === 'lost' ? colours.warning : colours.muted;
  context.lineWidth = kind === 'lost' ? 2 : 1;
  context.setLineDash(kind === 'lost' ? [5, 4] : [1, 3]);
  context.beginPath();
  context.moveTo(x, middle);
  context.lineTo(x + width, middle);
  context.stroke();
  context.restore();
}
