import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionSeal } from '../../src/sealed/session-seal.ts';

const initialize = (clientName = 'c') => ({
  jsonrpc: '2.0' as const,
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: clientName } },
});
const session = { principal: 'ada', initialize: initialize() };
const [first, second] = [randomBytes(32), randomBytes(32)];

let now = 1_000;
const seal = (keys: Buffer[], mount = ''): SessionSeal =>
  new SessionSeal({ keys, mount, lifetimeMs: 500, now: () => now });
const sealedBy = (by: SessionSeal): string => {
  const id = by.seal(session);
  if (id === undefined) throw new Error('too long');
  return id;
};

test('an id says what was sealed, to whoever has the key, and looks like any other', () => {
  const id = sealedBy(seal([first]));
  expect(seal([first]).open(id)).toEqual({ ...session, createdAt: 1_000 });
  expect(id).toMatch(/^[\w-]+$/);
  expect(Buffer.from(id, 'base64url').toString('latin1')).not.toContain('ada');
  expect(sealedBy(seal([first]))).not.toBe(id);
});

test('a key is changed without a session lost', () => {
  const [before, after] = [sealedBy(seal([first])), sealedBy(seal([second, first]))];
  expect(seal([second, first]).open(before)).toBeDefined();
  // A node that has the new key only behind the old one.
  expect(seal([first, second]).open(after)).toBeDefined();
  expect(seal([second]).open(before)).toBeUndefined();
  expect(seal([second]).open(after)).toBeDefined();
});

test('an id is none after its time, on another mount, or for another key', () => {
  const id = sealedBy(seal([first]));
  expect(seal([first], '/other').open(id)).toBeUndefined();
  expect(seal([second]).open(id)).toBeUndefined();
  now += 500;
  expect(seal([first]).open(id)).toBeDefined();
  now += 1;
  expect(seal([first]).open(id)).toBeUndefined();
});

test('nobody makes or changes one', () => {
  const id = sealedBy(seal([first]));
  const bytes = Buffer.from(id, 'base64url');
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ change;
      expect(seal([first]).open(changed.toString('base64url'))).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), (length) => {
      expect(seal([first]).open(bytes.subarray(0, length).toString('base64url'))).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(seal([first]).open(text)).toBeUndefined();
    }),
  );
});

test('what would be too long for a header is not sealed', () => {
  const long = randomBytes(6_000).toString('hex');
  expect(seal([first]).seal({ principal: 'ada', initialize: initialize(long) })).toBeUndefined();
});
