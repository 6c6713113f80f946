import { describe, expect, it } from 'vitest';
import { escapeControls, sanitize, sanitizeLine } from '../src/sanitize.ts';

const esc = '\u001b';

describe('sanitize', () => {
  it.each([
    ['a colour', `a${esc}[31;1mb${esc}[0mc`, 'abc'],
    ['a cursor movement', `a${esc}[2J${esc}[Hb`, 'ab'],
    ['an 8-bit CSI', 'a\u009b31mb', 'ab'],
    ['a window title, ended by BEL', `a${esc}]0;owned\u0007b`, 'ab'],
    ['a window title, ended by ST', `a${esc}]0;owned${esc}\\b`, 'ab'],
    ['a clipboard write', `a${esc}]52;c;cm0gLXJmIC8=\u0007b`, 'ab'],
    ['a hyperlink, its text kept', `${esc}]8;;http://x${esc}\\text${esc}]8;;${esc}\\`, 'text'],
    ['a device control string', `a${esc}P1$r0m${esc}\\b`, 'ab'],
    ['a privacy message', `a${esc}^hidden${esc}\\b`, 'ab'],
    ['an 8-bit OSC', 'a\u009d0;owned\u009cb', 'ab'],
    ['a reset', `a${esc}cb`, 'ab'],
    ['a character set', `a${esc}(0b`, 'ab'],
    ['a lone escape at the end', `a${esc}`, 'a'],
    ['backspaces and bells', 'a\b\b\u0007b', 'ab'],
    ['a carriage return that overwrites', 'safe\rfake', 'safe\nfake'],
    ['DEL and C1', 'a\u007f\u0085b', 'ab'],
    ['a direction override', 'a\u202eb\u2066c', 'abc'],
    ['direction marks and tags', 'a\u200e\u061cb\u{e0041}c', 'abc'],
    ['a string that another begins in', 'a\u0090b\u009dc\u009cd', 'abd'],
  ])('removes %s', (_, text, expected) => {
    expect(sanitize(text)).toBe(expected);
  });

  it('keeps text, tabs, line breaks and other scripts', () => {
    const text = 'one\ttwo\n日本語 שלום é 🎉 [31m';
    expect(sanitize(text)).toBe(text);
  });

  it('makes the line ends of all systems one', () => {
    expect(sanitize('a\r\nb\rc\n')).toBe('a\nb\nc\n');
  });

  it('leaves no control character behind, whatever it is given', () => {
    let state = 7;
    const next = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31);
    const alphabet = [
      esc,
      '[',
      ']',
      'P',
      '\\',
      '\u0007',
      '\u009b',
      '\u009c',
      '0',
      ';',
      'm',
      'a',
      '\r',
    ];
    for (let round = 0; round < 2000; round++) {
      const text = Array.from({ length: 12 }, () => alphabet[next() % alphabet.length]).join('');
      // oxlint-disable-next-line no-control-regex -- it is what must not be there
      expect(sanitize(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }
  });

  it('gets through a megabyte of any introducer', () => {
    const introducers = ['\u0090', '\u0098', '\u009b', '\u009d', '\u009f'];
    for (const introducer of [...introducers, `${esc}P`, `${esc}]`, `${esc}[`, esc]) {
      for (const text of [introducer.repeat(1_000_000), `${introducer}x 1`.repeat(200_000)]) {
        // oxlint-disable-next-line no-control-regex -- it is what must not be there
        expect(sanitize(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }
    }
    expect(sanitize(`${esc}]${'x'.repeat(1_000_000)}`)).not.toContain(esc);
  });
});

describe('sanitizeLine', () => {
  it('makes one line and cuts it', () => {
    expect(sanitizeLine(' a\n\n b\tc ')).toBe('a b c');
    expect(sanitizeLine('abcdef', 4)).toBe('abc…');
    expect(sanitizeLine('abcd', 4)).toBe('abcd');
  });
});

describe('escapeControls', () => {
  it('changes the spelling of JSON and not its value', () => {
    const value = { text: `a${esc}[31m\u009b2J\u007f\u202e\u200f\u061c\u{e0041}` };
    const json = escapeControls(JSON.stringify(value));
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(json).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(json).not.toMatch(/[\u061c\u200f\u202e\u{e0041}]/u);
    expect(JSON.parse(json)).toEqual(value);
  });
});
