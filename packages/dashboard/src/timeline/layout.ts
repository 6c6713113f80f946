import type {
  AuthorizationLine,
  CallPicture,
  ServerPicture,
  StatePicture,
} from '@longwire/recording';
import { binMsOf, binsOfSeconds, binsOfSpans, type Bin } from './density.js';
import { spansWithin, type Lane } from './lanes.js';
import { xOf, type TimeScale } from './scale.js';
import { beginOf, endOf, type CallSpan } from './spans.js';

/** A place on the screen, in pixels. The top of the first lane is 0. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A call, a task or the rounds of a call, and where it is. */
export interface DrawnSpan extends Place {
  readonly span: CallSpan;
  /** How much is free behind it, in pixels. */
  readonly room: number;
  /** It does not fit the filter. */
  readonly isDimmed: boolean;
}

/** A state of the connection, and where it is. */
export interface DrawnState extends Place {
  readonly state: StatePicture;
}

/** An authorization, and where it is. */
export interface DrawnAuthorization extends Place {
  readonly authorization: AuthorizationLine;
}

/** Calls of a short time, and where they are. Its height says how many, against the most of its lane. */
export interface DrawnBin extends Place {
  readonly bin: Bin;
}

/** One server. */
export interface DrawnLane {
  readonly server: ServerPicture;
  readonly top: number;
  readonly height: number;
  /** For as many rows it has room. */
  readonly rowCount: number;
  readonly states: readonly DrawnState[];
  readonly authorizations: readonly DrawnAuthorization[];
  readonly spans: readonly DrawnSpan[];
  /** What stands for calls that are too many to be seen, or that are kept no more. */
  readonly bins: readonly DrawnBin[];
  /** Calls in the row of the bins; the most in one of them. */
  readonly most: number;
}

/** The whole timeline, laid out. */
export interface Layout {
  readonly scale: TimeScale;
  readonly now: number;
  readonly height: number;
  readonly lanes: readonly DrawnLane[];
}

/** What is laid out. */
export interface LayoutOptions {
  readonly servers: Iterable<ServerPicture>;
  readonly laneOf: (server: string) => Lane;
  readonly scale: TimeScale;
  readonly now: number;
  /** Calls that ended before are kept no more, in milliseconds since 1970. */
  readonly keptFrom: number;
  readonly fits: (call: CallPicture) => boolean;
  /** The height of a server's name above its lane; 0 where the name is beside it. */
  readonly nameHeight: number;
  /** The layout before, so that lanes do not jump. */
  readonly before: Layout | undefined;
}

/** The height of the band of states, and of a call, in pixels. */
export const BAND_HEIGHT = 12;
export const SPAN_HEIGHT = 18;

const ROW_HEIGHT = 22;
const PAD = 7;
const BINS_HEIGHT = 44;
const MIN_HEIGHT = 56;
const MIN_WIDTH = 3;
/** Calls of more rows, or more of them than fit beside each other, are counted instead of drawn. */
const MAX_ROWS = 14;
const PX_A_SPAN = 4;
/** Of those that are counted, the ones that are drawn as well. */
const LONG_PX = 28;
const MAX_LONG_ROWS = 8;
/** Rows that stay free before a lane becomes lower. */
const SLACK_ROWS = 1;

/** Where everything is at a time. */
export function layoutOf(options: LayoutOptions): Layout {
  const { scale, now, before } = options;
  const lanes: DrawnLane[] = [];
  let top = 0;
  for (const server of options.servers) {
    const former = before?.lanes.find((lane) => lane.server.name === server.name);
    const lane = layoutLane(server, top, former, options);
    lanes.push(lane);
    top += lane.height;
  }
  return { scale, now, height: top, lanes };
}

function layoutLane(
  server: ServerPicture,
  top: number,
  former: DrawnLane | undefined,
  { laneOf, scale, now, keptFrom, fits, nameHeight }: LayoutOptions,
): DrawnLane {
  const visible = laneOf(server.name)
    .rows.map((row) => spansWithin(row, scale, now))
    .filter((row) => row.length > 0);
  const count = visible.reduce((sum, row) => sum + row.length, 0);
  const isDense = count > scale.width / PX_A_SPAN || visible.length > MAX_ROWS;
  const widthOf = (span: CallSpan): number =>
    xOf(scale, endOf(span, now)) - xOf(scale, beginOf(span));
  const rows = isDense
    ? visible
        .map((row) => row.filter((span) => widthOf(span) >= LONG_PX))
        .filter((row) => row.length > 0)
        .slice(0, MAX_LONG_ROWS)
    : visible;
  const bins = binsOf(server, isDense ? visible : [], scale, keptFrom);
  const bandTop = top + PAD + nameHeight;
  const authorizations = authorizationsOf(server, scale, bandTop + BAND_HEIGHT + 3);
  const bandsHeight = BAND_HEIGHT * (authorizations.length > 0 ? 2 : 1) + 3;
  const binsTop = bandTop + bandsHeight + 2;
  const rowsTop = binsTop + (bins.length > 0 ? BINS_HEIGHT + 5 : 0);
  const rowCount = Math.max(rows.length, Math.min(former?.rowCount ?? 0, rows.length + SLACK_ROWS));
  const most = bins.reduce((max, { calls }) => Math.max(max, calls), 0);
  return {
    server,
    top,
    height: Math.max(MIN_HEIGHT, rowsTop + rowCount * ROW_HEIGHT + PAD - top),
    rowCount,
    states: statesOf(server, scale, now, bandTop),
    authorizations,
    spans: rows.flatMap((row, index) =>
      placed(row, rowsTop + index * ROW_HEIGHT, { scale, now, fits }),
    ),
    bins: bins.map((bin) => {
      const x = xOf(scale, bin.from);
      const height = (bin.calls / most) * BINS_HEIGHT;
      const width = Math.max(1, xOf(scale, bin.to) - x - 1);
      return { bin, x, width, height, y: binsTop + BINS_HEIGHT - height };
    }),
    most,
  };
}

function placed(
  row: readonly CallSpan[],
  y: number,
  { scale, now, fits }: Pick<LayoutOptions, 'scale' | 'now' | 'fits'>,
): DrawnSpan[] {
  return row.map((span, index) => {
    const x = xOf(scale, beginOf(span));
    const width = Math.max(MIN_WIDTH, xOf(scale, endOf(span, now)) - x);
    const next = row[index + 1];
    const end = next === undefined ? scale.left + scale.width : xOf(scale, beginOf(next));
    return {
      span,
      x,
      y,
      width,
      height: SPAN_HEIGHT,
      room: Math.max(0, end - x - width),
      isDimmed: !span.calls.some(fits),
    };
  });
}

function statesOf(
  { states }: ServerPicture,
  scale: TimeScale,
  now: number,
  y: number,
): DrawnState[] {
  return states
    .filter(({ from, to = now }) => from <= scale.to && to >= scale.from)
    .map((state) => {
      const x = xOf(scale, state.from);
      const width = Math.max(MIN_WIDTH, xOf(scale, Math.max(state.from, state.to ?? now)) - x);
      return { state, x, y, width, height: BAND_HEIGHT };
    });
}

function authorizationsOf(
  { authorizations }: ServerPicture,
  scale: TimeScale,
  y: number,
): DrawnAuthorization[] {
  return authorizations
    .filter(({ at, durationMs }) => at - durationMs <= scale.to && at >= scale.from)
    .map((authorization) => {
      const { at, durationMs } = authorization;
      const x = xOf(scale, at - durationMs);
      const width = Math.max(MIN_WIDTH, xOf(scale, at) - x);
      return { authorization, x, y, width, height: BAND_HEIGHT };
    });
}

/** The calls of a lane in bins: all of them where it is dense, else those that are kept no more. */
function binsOf(
  { seconds }: ServerPicture,
  dense: readonly (readonly CallSpan[])[],
  scale: TimeScale,
  keptFrom: number,
): Bin[] {
  const binMs = binMsOf(scale);
  const isDense = dense.length > 0;
  if (isDense && binMs >= 1000) return binsOfSeconds(seconds.data, scale, binMs);
  // A second of which calls are still kept has them as spans.
  const gone = seconds.data.filter(({ second }) => (second + 1) * 1000 <= keptFrom);
  const older = binsOfSeconds(gone, scale, binMs);
  return isDense ? [...older, ...binsOfSpans(dense.flat(), scale, binMs)] : older;
}

/** The span that was laid out for a call, and where. */
export function drawnSpanOf({ lanes }: Layout, call: number): DrawnSpan | undefined {
  for (const { spans } of lanes) {
    const found = spans.find(({ span }) => span.calls.some((one) => one.call === call));
    if (found !== undefined) return found;
  }
  return undefined;
}
