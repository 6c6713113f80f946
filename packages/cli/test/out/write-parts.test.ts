import { describe, expect, it } from 'vitest';
import { fileName } from '../../src/out/write-parts.ts';

const named = (uri: string | undefined, ending = '.txt', source = 'tool'): string => {
  const { stem, ending: own } = fileName(uri, source, ending);
  return stem + own;
};

describe('the name of a file', () => {
  it.each([
    ['file:///home/me/notes.md', 'notes.md'],
    ['demo://about', 'about.txt'],
    ['demo://x/report.pdf?version=2#top', 'report.pdf'],
    ['user://7/profile/', 'profile.txt'],
    ['things://naïve/Größe.csv', 'Größe.csv'],
    ['x://a/b c$(reboot)`.txt', 'b-c-reboot-.txt'],
    ['x://../../../etc/passwd', 'passwd.txt'],
    ['x://a/..', 'tool.txt'],
    ['x://a/%2e%2e%2fpasswd', '2e-2e-2fpasswd.txt'],
    ['x://a/..\\..\\evil.exe', 'evil.exe'],
    ['x://a/.bashrc', 'bashrc.txt'],
    ['x://a/-rf', 'rf.txt'],
    ['C:evil', 'evil.txt'],
    ['x://a/\u001b[31mred', 'red.txt'],
    ['', 'tool.txt'],
    [undefined, 'tool.txt'],
  ])('of %j is %s', (uri, name) => {
    expect(named(uri)).toBe(name);
  });

  it('is short, whatever the server calls it', () => {
    expect(named(`x://${'a'.repeat(5000)}`)).toBe(`${'a'.repeat(80)}.txt`);
    expect(named(`x://a.${'b'.repeat(5000)}`).length).toBeLessThan(100);
  });

  it('is a name where the tool has none that a file could have', () => {
    expect(named(undefined, '.png', '../..')).toBe('file.png');
    expect(named(undefined, '.png', 'a/b')).toBe('a-b.png');
  });
});
