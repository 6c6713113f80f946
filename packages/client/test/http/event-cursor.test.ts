import { describe, expect, it } from 'vitest';
import { EventCursor } from '../../src/http/event-cursor.ts';

const takeAll = (cursor: EventCursor, ids: string[]): boolean[] => ids.map((id) => cursor.take(id));

describe('EventCursor', () => {
  it('has the last id', () => {
    const cursor = new EventCursor();
    expect(cursor.lastEventId).toBeUndefined();
    expect(takeAll(cursor, ['a', 'b', 'a'])).toEqual([true, true, true]);
    expect(cursor.lastEventId).toBe('a');
  });

  it('is reset by an empty id', () => {
    const cursor = new EventCursor();
    expect(takeAll(cursor, ['a', ''])).toEqual([true, true]);
    expect(cursor.lastEventId).toBeUndefined();
    cursor.take('b');
    expect(cursor.lastEventId).toBe('b');
  });

  it.each(['a\0b', 'a\rb', 'a\nb', 'a\u007f', '\u001f'])('sends no header for the id %j', (id) => {
    const cursor = new EventCursor();
    expect(takeAll(cursor, ['a', id])).toEqual([true, true]);
    expect(cursor.lastEventId).toBeUndefined();
  });

  it.each(['a b', 'a\tb', 'ä', '日本', '€', '0'])('keeps the id %j', (id) => {
    const cursor = new EventCursor();
    cursor.take(id);
    expect(cursor.lastEventId).toBe(id);
  });

  it('drops repeated events until the first new id', () => {
    const cursor = new EventCursor();
    takeAll(cursor, ['a', 'b', 'c']);
    cursor.resume();
    expect(takeAll(cursor, ['b', 'c', 'd', 'b'])).toEqual([false, false, true, true]);
  });

  it('keeps its position for a dropped event', () => {
    const cursor = new EventCursor();
    takeAll(cursor, ['a', 'b', 'c']);
    cursor.resume();
    cursor.take('a');
    expect(cursor.lastEventId).toBe('c');
  });

  it('keeps its position when a resumed stream breaks before its first event', () => {
    const cursor = new EventCursor();
    cursor.take('a');
    cursor.resume();
    cursor.resume();
    expect(cursor.lastEventId).toBe('a');
    expect(takeAll(cursor, ['a', 'b'])).toEqual([false, true]);
  });

  it('remembers ids across several replays, and those of 1,000 events', () => {
    const cursor = new EventCursor();
    const ids = Array.from({ length: 1500 }, (_, i) => String(i));
    takeAll(cursor, ids);
    cursor.resume();
    expect(takeAll(cursor, ids.slice(500)).filter(Boolean)).toEqual([]);
    cursor.resume();
    expect(cursor.take('499')).toBe(true);
  });
});
