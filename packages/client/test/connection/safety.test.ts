import { describe, expect, it } from 'vitest';
import { isSafe } from '../../src/connection/safety.ts';

const isSafeTool = (name: unknown): boolean => name === 'look';
const safe = (method: string, params?: Record<string, unknown>, idempotent?: boolean): boolean =>
  isSafe(
    { request: { method, params }, context: { certainty: 'not-sent', idempotent } },
    isSafeTool,
  );

describe('isSafe', () => {
  it.each([
    'completion/complete',
    'logging/setLevel',
    'ping',
    'prompts/get',
    'prompts/list',
    'resources/list',
    'resources/read',
    'resources/subscribe',
    'resources/templates/list',
    'resources/unsubscribe',
    'server/discover',
    'tasks/get',
    'tasks/list',
    'tasks/result',
    'tools/list',
  ])('accepts %s as safe', (method) => {
    expect(safe(method)).toBe(true);
  });

  it.each([
    'initialize',
    'tasks/cancel',
    'tools/call',
    'vendor/list',
    'tools/list ',
    'constructor',
  ])('does not accept %s as safe', (method) => {
    expect(safe(method)).toBe(false);
    expect(safe(method, {})).toBe(false);
  });

  it('believes the hints about a tool, but not about other requests of that name', () => {
    expect(safe('tools/call', { name: 'look' })).toBe(true);
    expect(safe('tools/call', { name: 'do' })).toBe(false);
    expect(safe('vendor/run', { name: 'look' })).toBe(false);
  });

  it('believes the program', () => {
    expect(safe('tools/call', { name: 'do' }, true)).toBe(true);
    expect(safe('vendor/run', {}, true)).toBe(true);
    expect(safe('tools/call', { name: 'do' }, false)).toBe(false);
  });
});
