import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Payloads, PLAIN, type EncryptionKey, type Place } from '../src/payloads.ts';

const [old, next] = [randomBytes(32), randomBytes(40)];
const place: Place = ['event', 'session', 7, '1 2 a digest 3'];
const by = (...keys: EncryptionKey[]): Payloads => new Payloads(keys, 'longwire:');

describe('a payload', () => {
  const stored = by(old).seal('said "ä"', place);

  it('opens at its place, and nowhere else', () => {
    expect(by(old).open(stored, place)).toBe('said "ä"');
    const others: Place[] = [
      ['begun', 'session', 7, '1 2 a digest 3'],
      ['event', 'other', 7, '1 2 a digest 3'],
      ['event', 'session', 8, '1 2 a digest 3'],
      ['event', 'session', 7, '1 2 n digest 3'],
      ['event', 'session', 7],
      ['event', 'session,7', '1 2 a digest 3'],
    ];
    for (const other of others) {
      expect(() => by(old).open(stored, other)).toThrow('it was changed, or belongs to another');
    }
    const elsewhere = new Payloads([old], 'longwire:other:');
    expect(() => elsewhere.open(stored, place)).toThrow('it was changed');
  });

  it('does not open after any of it was changed or cut off', () => {
    const [mark, bytes] = [stored.slice(0, 7), Buffer.from(stored.slice(7), 'base64')];
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => by(old).open(mark + changed.toString('base64'), place)).toThrow('changed');
      const cut = bytes.subarray(0, at).toString('base64');
      expect(() => by(old).open(mark + cut, place)).toThrow('changed');
    }
    expect(() => by(old).open('~', place)).toThrow('no key');
  });

  it('says nothing of what it holds where it does not open', () => {
    for (const keys of [[next], [PLAIN]] as EncryptionKey[][]) {
      expect(() => by(...keys).open(stored, place)).toThrow(
        /^no key of redis\(…, \{ encrypt \}\) has the id [\w-]{6}; give the keys/,
      );
    }
    expect(() => by(old).open('{"secret":1}', place)).toThrow(/^it is not encrypted.*'plain'/);
  });
});

it('changes from one key to another, and from none to one, by the same three steps', () => {
  for (const [from, to] of [
    [old, next],
    [PLAIN, next],
    [old, PLAIN],
  ] as const) {
    const steps = [[from], [from, to], [to, from], [to]];
    for (const [at, step] of steps.entries()) {
      const stored = by(...step).seal('text', place);
      expect(by(...step).isCurrent(stored)).toBe(true);
      // Nodes of two steps run side by side.
      for (const beside of steps.slice(Math.max(0, at - 1), at + 2)) {
        expect(by(...beside).open(stored, place)).toBe('text');
      }
      if (at === 0) expect(() => by(to).open(stored, place)).toThrow();
    }
    expect(by(to, from).isCurrent(by(from).seal('text', place))).toBe(false);
  }
});
