import type { CauseLine } from './causes.js';
import type { Colours } from './colours.js';

/** How large the sign at the end of a line is, in pixels. */
const SIGN_PX = 4;

/** Draws the line from a cause to its effect. */
export function drawCauseLine(
  context: CanvasRenderingContext2D,
  cause: CauseLine,
  colours: Colours,
): void {
  const { kind, from, to } = cause;
  context.strokeStyle = colourOf(cause, colours);
  context.lineWidth = 1.5;
  context.setLineDash(kind === 'called' ? [2, 3] : []);
  context.beginPath();
  context.moveTo(from.x, from.y);
  if (kind === 'called') {
    context.lineTo(from.x, (from.y + to.y) / 2);
    context.lineTo(to.x, (from.y + to.y) / 2);
  }
  context.lineTo(to.x, to.y);
  context.stroke();
  context.setLineDash([]);
}

/** Draws what a line ends with: a cross where a call was lost, an arrow where it left, a bar where it did not. */
export function drawCauseEnd(
  context: CanvasRenderingContext2D,
  cause: CauseLine,
  colours: Colours,
): void {
  const { kind, from } = cause;
  const { x, y } = cause.to;
  const s = SIGN_PX;
  context.strokeStyle = context.fillStyle = colourOf(cause, colours);
  context.lineWidth = 2;
  context.beginPath();
  if (kind === 'lost') {
    context.moveTo(x - s, y - s);
    context.lineTo(x + s, y + s);
    context.moveTo(x - s, y + s);
    context.lineTo(x + s, y - s);
    context.stroke();
  } else if (kind === 'not-again') {
    context.moveTo(x, y - 2 * s);
    context.lineTo(x, y + 2 * s);
    context.lineWidth = 3;
    context.stroke();
  } else {
    const back = y < from.y ? y + 1.6 * s : y - 1.6 * s;
    context.moveTo(x - s, back);
    context.lineTo(x + s, back);
    context.lineTo(x, y);
    context.closePath();
    context.fill();
  }
}

function colourOf({ kind }: CauseLine, colours: Colours): string {
  return {
    lost: colours.warning,
    again: colours.busy,
    'not-again': colours.bad,
    called: colours.muted,
  }[kind];
}
