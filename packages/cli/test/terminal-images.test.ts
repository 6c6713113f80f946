import { describe, expect, it } from 'vitest';
import { drawImage, imageProtocol } from '../src/terminal-images.ts';
import { PIXEL } from './things-server.ts';

describe('what a terminal can show', () => {
  it.each<[Record<string, string>, string | undefined]>([
    [{ TERM: 'xterm-kitty', KITTY_WINDOW_ID: '1' }, 'kitty'],
    [{ TERM: 'xterm-256color', KITTY_WINDOW_ID: '1' }, 'kitty'],
    [{ TERM: 'xterm-ghostty', TERM_PROGRAM: 'ghostty' }, 'kitty'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app' }, 'iterm2'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm' }, 'iterm2'],
    [{ TERM: 'xterm', TERM_PROGRAM: 'mintty' }, 'iterm2'],
    // A terminal that was started from another one has its variables.
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'vscode', KITTY_WINDOW_ID: '1' }, undefined],
    [{ TERM: 'screen-256color', KITTY_WINDOW_ID: '1' }, undefined],
    [{ TERM: 'tmux-256color', TERM_PROGRAM: 'tmux', TMUX: '/tmp/tmux,1,0' }, undefined],
    [{ TERM: 'xterm-kitty', TMUX: '/tmp/tmux,1,0' }, undefined],
    [{ TERM: 'dumb', TERM_PROGRAM: 'iTerm.app' }, undefined],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'Apple_Terminal' }, undefined],
    [{}, undefined],
  ])('%j: %s', (env, protocol) => {
    expect(imageProtocol(env)).toBe(protocol);
  });
});

/** A PNG as far as its first chunk says. */
function png(width: number, height: number, length = 100): Buffer {
  const bytes = Buffer.alloc(length);
  Buffer.from(PIXEL, 'base64').copy(bytes, 0, 0, 24);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

describe('an image', () => {
  const kitty = { protocol: 'kitty', columns: 80 } as const;
  const iterm2 = { protocol: 'iterm2', columns: 80 } as const;
  const pixel = Buffer.from(PIXEL, 'base64');

  it('is drawn by one kitty command, or several', () => {
    expect(drawImage(pixel, kitty)).toBe(`\u001b_Ga=T,f=100,q=2,m=0;${PIXEL}\u001b\\`);
    const large = png(100, 100, 8000);
    const drawn = drawImage(large, kitty) ?? '';
    const commands = drawn.split('\u001b\\').slice(0, -1);
    expect(commands.map((each) => each.replace('\u001b_G', '').split(';')[0])).toEqual([
      'a=T,f=100,q=2,m=1',
      'm=1',
      'm=0',
    ]);
    const data = commands.map((each) => each.split(';')[1]).join('');
    expect(Buffer.from(data, 'base64').equals(large)).toBe(true);
  });

  it('is drawn inline by iTerm2', () => {
    const { length } = pixel;
    expect(drawImage(pixel, iterm2)).toBe(
      `\u001b]1337;File=inline=1;size=${length}:${PIXEL}\u0007`,
    );
  });

  it('is no wider than the terminal', () => {
    expect(drawImage(png(5000, 10), kitty)).toContain(',c=80,');
    expect(drawImage(png(5000, 10), iterm2)).toContain(';width=100%:');
  });

  it.each([
    ['text', Buffer.from('\u001b]52;c;ZXZpbA==\u0007'), undefined],
    ['nothing', Buffer.alloc(0), undefined],
    ['a PNG of absurd size', png(2 ** 31, 2), undefined],
    ['a PNG that is too large to draw', png(10, 10, 9 * 1024 * 1024), undefined],
  ])('is not drawn if it is %s', (_, bytes, drawn) => {
    expect([drawImage(bytes, kitty), drawImage(bytes, iterm2)]).toEqual([drawn, drawn]);
  });

  it('is drawn by iTerm2 only if it is a JPEG or a GIF', () => {
    const gif = Buffer.from('GIF89a....');
    expect(drawImage(gif, kitty)).toBeUndefined();
    expect(drawImage(gif, iterm2)).toContain('inline=1');
  });
});
