import type { Context } from './context.js';

/** How a terminal is told to show an image. */
export type ImageProtocol = 'kitty' | 'iterm2';

/** Larger images are saved: drawing them takes long. */
const maxDrawnBytes = 8 * 1024 * 1024;

/** The most pixels of a side that is drawn. */
const maxSide = 10_000;

/** About how wide a column is, in pixels, where a picture is wider than the terminal. */
const columnPixels = 8;

/** How much of the data one kitty command takes. */
const chunkLength = 4096;

/**
 * What the terminal with this environment can show, if it can. A multiplexer (tmux, screen) cannot, and its
 * environment may be that of the terminal in which it was started.
 */
export function imageProtocol(
  env: Readonly<Record<string, string | undefined>>,
): ImageProtocol | undefined {
  const { TERM = '', TERM_PROGRAM: program, TMUX, STY, ZELLIJ, KITTY_WINDOW_ID } = env;
  const isInside = Boolean(TMUX) || Boolean(STY) || ZELLIJ !== undefined;
  if (isInside || /^(?:tmux|screen|dumb)/.test(TERM)) return undefined;
  // What a program says of itself comes before what it may have inherited.
  if (program === 'iTerm.app' || program === 'WezTerm' || program === 'mintty') return 'iterm2';
  if (program === 'ghostty' || /^xterm-(?:kitty|ghostty)$/.test(TERM)) return 'kitty';
  return Boolean(KITTY_WINDOW_ID) && program === undefined ? 'kitty' : undefined;
}

/**
 * What draws an image at the cursor, no wider than the terminal: a control sequence that holds nothing but
 * Base64 of ours. Undefined for what is no image that this protocol shows.
 */
export function drawImage(
  bytes: Buffer,
  { protocol, columns }: { protocol: ImageProtocol; columns: number },
): string | undefined {
  const png = pngSize(bytes);
  const isSmall = bytes.length <= maxDrawnBytes;
  if (!isSmall || (png !== undefined && Math.max(png.width, png.height) > maxSide))
    return undefined;
  const isTooWide = png !== undefined && png.width > columns * columnPixels;
  const data = bytes.toString('base64');
  if (protocol === 'iterm2') {
    if (png === undefined && !isOtherImage(bytes)) return undefined;
    const width = isTooWide ? ';width=100%' : '';
    return `\u001b]1337;File=inline=1;size=${bytes.length}${width}:${data}\u0007`;
  }
  if (png === undefined) return undefined;
  const chunks = data.match(new RegExp(`.{1,${chunkLength}}`, 'g')) ?? [];
  const first = `a=T,f=100,q=2${isTooWide ? `,c=${columns}` : ''},`;
  return chunks
    .map((chunk, index) => {
      const more = index === chunks.length - 1 ? 0 : 1;
      return `\u001b_G${index === 0 ? first : ''}m=${more};${chunk}\u001b\\`;
    })
    .join('');
}

/** The size of a PNG, which stands in its first chunk; undefined for anything else. */
function pngSize(bytes: Buffer): { width: number; height: number } | undefined {
  const isPng = bytes.length > 24 && bytes.toString('latin1', 0, 8) === '\u0089PNG\r\n\u001a\n';
  if (!isPng || bytes.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** Whether it begins as a JPEG or a GIF does. */
function isOtherImage(bytes: Buffer): boolean {
  const begin = bytes.toString('latin1', 0, 6);
  return begin.startsWith('\u00ff\u00d8\u00ff') || begin === 'GIF87a' || begin === 'GIF89a';
}

/** What draws images where results are shown on a terminal that can; undefined where they are saved. */
export function imageDrawer({
  terminal,
  env,
  options,
}: Pick<Context, 'terminal' | 'env' | 'options'>):
  ((bytes: Buffer) => string | undefined) | undefined {
  const { width: columns } = terminal;
  const protocol = options.quiet || options.json ? undefined : imageProtocol(env);
  if (columns === undefined || protocol === undefined) return undefined;
  return (bytes) => drawImage(bytes, { protocol, columns });
}
