import {
  callName,
  formatClock,
  formatDay,
  formatShortClock,
  STATES,
} from '@longwire/recording/shown';
import type { TimeRange } from '../state/filter.js';
import { causesOf } from './causes.js';
import type { Colours } from './colours.js';
import { drawCauseEnd, drawCauseLine } from './draw-cause.js';
import { drawSpan, hatch, toneColour } from './draw-span.js';
import { AUTHORIZATIONS } from './item-text.js';
import { keyOfItem, type Item } from './items.js';
import { FONTS, type Labels } from './labels.js';
import type {
  DrawnAuthorization,
  DrawnLane,
  DrawnSpan,
  DrawnState,
  Layout,
  Place,
} from './layout.js';
import { ticksOf, xOf } from './scale.js';
import { firstOf, kindOf } from './spans.js';
import { segmentsOf, styleOf } from './span-style.js';

/** What is drawn, and onto what. */
export interface Frame {
  readonly context: CanvasRenderingContext2D;
  readonly labels: Labels;
  readonly colours: Colours;
  readonly layout: Layout;
  readonly width: number;
  readonly height: number;
  /** How far the lanes are scrolled, in pixels. */
  readonly scrollTop: number;
  /** The width of the names beside the lanes; 0 where they are above. */
  readonly nameWidth: number;
  /** The call whose panel is open, the item under the pointer, and the one that keys went to. */
  readonly opened: number | undefined;
  readonly pointed: Item | undefined;
  readonly active: Item | undefined;
  /** The time that all views are filtered by. */
  readonly filtered: TimeRange | undefined;
  /** What is being dragged over. */
  readonly dragged: TimeRange | undefined;
  /** Where the replay is; what comes after it has not happened yet. */
  readonly cursor: number | undefined;
}

/** The height of the times above the lanes, in pixels. */
export const RULER_HEIGHT = 26;

const TICK_PX = 96;
/** From this step on the day is told, too. */
const DAY_STEP_MS = 6 * 3_600_000;

/** Draws the timeline. */
export function draw(frame: Frame): void {
  const { context, colours, layout, width, height, scrollTop } = frame;
  const { scale } = layout;
  context.fillStyle = colours.surface;
  context.fillRect(0, 0, width, height);
  drawTicks(frame);
  context.save();
  context.beginPath();
  context.rect(0, RULER_HEIGHT, width, height - RULER_HEIGHT);
  context.clip();
  context.translate(0, RULER_HEIGHT - scrollTop);
  const seen = layout.lanes.filter(
    (lane) => lane.top + lane.height >= scrollTop && lane.top <= scrollTop + height,
  );
  for (const lane of seen) drawName(frame, lane);
  context.beginPath();
  context.rect(scale.left, 0, scale.width, Math.max(layout.height, scrollTop + height));
  context.clip();
  // Lines go behind calls of other rows; what they end with is seen.
  const causes = causesOf({ ...layout, lanes: seen });
  for (const cause of causes) drawCauseLine(context, cause, colours);
  for (const lane of seen) {
    drawBins(frame, lane);
    for (const state of lane.states) drawState(frame, lane, state);
    for (const one of lane.authorizations) drawAuthorization(frame, lane, one);
    for (const span of lane.spans) drawCall(frame, span);
  }
  for (const cause of causes) drawCauseEnd(context, cause, colours);
  context.restore();
  drawRanges(frame);
}

/** A place of which nothing is far outside of what is seen. */
function clamped({ layout: { scale } }: Frame, place: Place): Place {
  const x = Math.max(place.x, scale.left - 20);
  const end = Math.min(place.x + place.width, scale.left + scale.width + 20);
  return { ...place, x, width: Math.max(0, end - x) };
}

/** Where a text inside of a place begins, so that it is seen. */
function textStart({ layout: { scale } }: Frame, { x }: Place): number {
  return Math.max(x, scale.left);
}

/** How times are told that are so far apart. */
function clockFor(stepMs: number): (at: number) => string {
  if (stepMs < 1000) return formatClock;
  return stepMs < DAY_STEP_MS ? formatShortClock : formatDay;
}

function drawTicks({ context, colours, layout, width, scrollTop }: Frame): void {
  const { scale } = layout;
  const bottom = RULER_HEIGHT + layout.height - scrollTop;
  const { stepMs, ticks } = ticksOf(scale, TICK_PX);
  context.font = FONTS.small;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  for (const { at, x } of ticks) {
    context.fillStyle = colours.line;
    context.fillRect(Math.round(x), RULER_HEIGHT - 5, 1, bottom - RULER_HEIGHT + 5);
    const text = clockFor(stepMs)(at);
    if (x < scale.left + 24 || x > width - 24) continue;
    context.fillStyle = colours.muted;
    context.fillText(text, x, 11);
  }
  context.fillStyle = colours.edge;
  context.fillRect(0, RULER_HEIGHT - 1, width, 1);
}

function drawName(frame: Frame, { server, top, height, states, bins, most }: DrawnLane): void {
  const { context, labels, colours, layout, width, nameWidth } = frame;
  context.fillStyle = colours.line;
  context.fillRect(0, top + height - 1, width, 1);
  const isBeside = nameWidth > 0;
  const room = isBeside ? nameWidth - 24 : width * 0.5;
  const y = top + (isBeside ? 17 : 14);
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.font = FONTS.strong;
  context.fillStyle = colours.text;
  const name = labels.fit(server.name, room);
  context.fillText(name, 12, y);
  const after = 12 + labels.widthOf(name) + 10;
  const state = server.states.findLast(({ from }) => from <= layout.now)?.state;
  if (state !== undefined) {
    const { sign, tone } = STATES[state] ?? STATES.idle;
    context.font = FONTS.small;
    context.fillStyle = toneColour(tone, colours);
    context.fillText(`${sign} ${state}`, isBeside ? 12 : after, isBeside ? top + 35 : y);
  }
  if (most > 0 && isBeside && states.length + bins.length > 0) {
    context.fillStyle = colours.muted;
    context.fillText(labels.fit(`bars: ${most} calls at most`, room + 12), 12, top + 51);
  }
}

function drawState(frame: Frame, { server }: DrawnLane, drawn: DrawnState): void {
  const { context, labels, colours } = frame;
  const { state } = drawn;
  const { tone, sign } = STATES[state.state] ?? STATES.idle;
  const place = clamped(frame, drawn);
  const { x, y, width, height } = place;
  const middle = y + height / 2;
  const colour = toneColour(tone, colours);
  context.fillStyle = context.strokeStyle = colour;
  switch (state.state) {
    case 'ready':
      context.fillRect(x, middle - 2, width, 4);
      break;
    case 'connecting':
    case 'reconnecting':
      context.globalAlpha = 0.25;
      context.fillRect(x, y, width, height);
      context.globalAlpha = 1;
      if (state.state === 'reconnecting') hatch(context, place);
      else context.strokeRect(x + 0.5, y + 0.5, Math.max(1, width - 1), height - 1);
      break;
    case 'resting':
      context.fillRect(x, y, width, height);
      break;
    default:
      context.fillRect(x, middle - 0.5, width, 1);
  }
  if (state.state !== 'ready') {
    context.font = FONTS.small;
    context.textAlign = 'left';
    const begin = textStart(frame, place);
    const why = state.reason === undefined ? '' : `: ${state.reason.code}`;
    const room = x + width - begin - 10;
    const whole = `${sign} ${state.state}${why}`;
    const short = `${sign} ${state.state}`;
    const text = labels.fit(labels.widthOf(whole) <= room ? whole : short, room);
    if (text !== '') {
      context.fillStyle = colours.surface;
      context.fillRect(begin + 2, y, labels.widthOf(text) + 6, height);
      context.fillStyle = colour;
      context.fillText(text, begin + 5, middle + 0.5);
    }
  }
  outline(frame, place, { kind: 'state', server: server.name, state });
}

function drawAuthorization(frame: Frame, { server }: DrawnLane, drawn: DrawnAuthorization): void {
  const { context, labels, colours } = frame;
  const { authorization } = drawn;
  const { sign, tone, text } = AUTHORIZATIONS[authorization.decision];
  const place = clamped(frame, drawn);
  const { x, y, width, height } = place;
  context.fillStyle = colours.surface;
  context.fillRect(x, y, width, height);
  context.strokeStyle = context.fillStyle = toneColour(tone, colours);
  context.lineWidth = 1.25;
  context.setLineDash([1, 2]);
  context.strokeRect(x + 0.5, y + 0.5, Math.max(1, width - 1), height - 1);
  context.setLineDash([]);
  context.font = FONTS.small;
  context.textAlign = 'left';
  const begin = textStart(frame, place);
  const label = labels.fit(`${sign} ${text}`, x + width - begin - 8);
  context.fillText(label === '' ? '' : label, begin + 4, y + height / 2 + 0.5);
  outline(frame, place, { kind: 'authorization', server: server.name, authorization });
}

function drawBins(frame: Frame, { server, bins }: DrawnLane): void {
  const { context, colours } = frame;
  for (const place of bins) {
    const { bin, x, y, width, height } = place;
    const bad =
      bin.calls === 0 ? 0 : Math.max(bin.errors > 0 ? 3 : 0, (bin.errors / bin.calls) * height);
    context.globalAlpha = 0.45;
    context.fillStyle = colours.good;
    context.fillRect(x, y, width, height - bad);
    context.globalAlpha = 1;
    context.fillStyle = colours.bad;
    context.fillRect(x, y + height - bad, width, bad);
    outline(frame, place, { kind: 'bin', server: server.name, bin });
  }
}

function drawCall(frame: Frame, drawn: DrawnSpan): void {
  const { context, colours, layout, opened } = frame;
  const { span, isDimmed } = drawn;
  const { scale, now } = layout;
  const place = clamped(frame, drawn);
  const style = styleOf(span);
  const segments = segmentsOf(span, now).map(({ from, to, kind }) => {
    const x = Math.max(xOf(scale, from), place.x);
    const end = Math.min(
      Math.max(xOf(scale, to), x + (kind === 'sent' ? 1 : 0)),
      place.x + place.width,
    );
    return { x, width: Math.max(0, end - x), kind };
  });
  context.globalAlpha = isDimmed ? 0.15 : 1;
  const whole = [{ x: place.x, width: place.width, kind: 'sent' as const }];
  drawSpan(context, place, { style, colours, segments: drawn.width < 6 ? whole : segments });
  drawProgress(frame, drawn, place);
  const isParted = segments.some(({ kind, width }) => kind !== 'sent' && width > 2);
  drawLabel(frame, drawn, { place, isParted });
  context.globalAlpha = 1;
  outline(frame, place, { kind: 'span', server: span.server, span });
  if (opened === undefined || !span.calls.some(({ call }) => call === opened)) return;
  context.strokeStyle = colours.accent;
  context.lineWidth = 2;
  context.strokeRect(place.x - 2, place.y - 2, place.width + 4, place.height + 4);
}

function drawProgress({ context, colours }: Frame, { span }: DrawnSpan, place: Place): void {
  const { progress, end } = firstOf(span);
  if (end !== undefined || progress?.total === undefined || progress.total <= 0) return;
  const share = Math.min(1, Math.max(0, progress.progress / progress.total));
  context.fillStyle = colours.busy;
  context.fillRect(place.x, place.y + place.height - 3, place.width * share, 3);
}

function drawLabel(
  frame: Frame,
  { span, room }: DrawnSpan,
  { place, isParted }: { readonly place: Place; readonly isParted: boolean },
): void {
  const { context, labels, colours } = frame;
  const { x, y, width, height } = place;
  const { sign, tone, fill } = styleOf(span);
  const name = callName(firstOf(span));
  const what = { call: '', task: ' · task', rounds: ` · ${span.calls.length} rounds` }[
    kindOf(span)
  ];
  const middle = y + height / 2 + 0.5;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.font = FONTS.text;
  const text = `${sign} ${name}${what}`;
  const begin = textStart(frame, place);
  const roomInside = x + width - begin - 12;
  const inside = labels.fit(text, roomInside);
  const isInside = inside !== '' && (inside.length > 6 || labels.widthOf(text) <= roomInside);
  if (isInside) {
    // Nothing goes through what is read.
    if (fill === 'hatched' || isParted) {
      context.fillStyle = colours.surface;
      context.fillRect(begin + 3, y + 2, labels.widthOf(inside) + 6, height - 4);
    }
    context.fillStyle = colours.text;
    context.fillText(inside, begin + 6, middle);
  } else if (labels.widthOf(text) + 12 <= room) {
    context.fillStyle = tone === 'good' ? colours.muted : colours.text;
    context.fillText(labels.fit(text, room), x + width + 4, middle);
  } else if (tone !== 'good' && tone !== 'busy' && room >= 14) {
    context.fillStyle = toneColour(tone, colours);
    context.fillText(sign, x + width + 2, middle);
  }
}

/** A line around what is pointed at, and a stronger one around what keys went to. */
function outline(frame: Frame, place: Place, item: Item): void {
  const { context, colours, pointed, active } = frame;
  if (pointed === undefined && active === undefined) return;
  const isSame = (other: Item | undefined): boolean =>
    other !== undefined && other.kind === item.kind && keyOfItem(other) === keyOfItem(item);
  const isActive = isSame(active);
  if (!isActive && !isSame(pointed)) return;
  context.strokeStyle = isActive ? colours.accent : colours.text;
  context.lineWidth = isActive ? 2 : 1;
  context.strokeRect(place.x - 1.5, place.y - 1.5, place.width + 3, place.height + 3);
}

function drawRanges(frame: Frame): void {
  const { context, colours, layout, height, filtered, dragged, cursor } = frame;
  const { scale } = layout;
  const right = scale.left + scale.width;
  const inside = (at: number): number => Math.min(right, Math.max(scale.left, xOf(scale, at)));
  if (filtered !== undefined) {
    // What the other views leave out is a little paler here.
    context.fillStyle = colours.ground;
    context.globalAlpha = 0.55;
    const [from, to] = [inside(filtered.from), inside(filtered.to)];
    context.fillRect(scale.left, RULER_HEIGHT, from - scale.left, height);
    context.fillRect(to, RULER_HEIGHT, right - to, height);
    context.globalAlpha = 1;
    context.fillStyle = colours.accent;
    context.fillRect(from, RULER_HEIGHT - 4, to - from, 4);
  }
  if (cursor !== undefined) {
    const x = inside(cursor);
    context.fillStyle = colours.raised;
    context.globalAlpha = 0.6;
    context.fillRect(x, RULER_HEIGHT, right - x, height);
    context.globalAlpha = 1;
    context.fillStyle = colours.accent;
    context.fillRect(x - 1, 0, 2, height);
  }
  if (dragged !== undefined) {
    const [from, to] = [inside(dragged.from), inside(dragged.to)];
    context.fillStyle = colours.accent;
    context.globalAlpha = 0.2;
    context.fillRect(from, 0, to - from, height);
    context.globalAlpha = 1;
    context.fillRect(from, 0, 1, height);
    context.fillRect(to - 1, 0, 1, height);
  }
}
