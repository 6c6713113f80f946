import type { CallPicture, EventPicture } from '../picture.js';

/** How much of a call or an event is searched. */
const MAX_CHARS = 8192;
const MAX_DEPTH = 20;

const ofCalls = new WeakMap<CallPicture, { ended: boolean; text: string }>();
const ofEvents = new WeakMap<EventPicture, string>();

/** What a text of a filter is looked for in: names, arguments, the result, the error; in lower case. */
export function textOfCall(call: CallPicture): string {
  const { server, method, name, arguments: args, end } = call;
  const ended = end !== undefined;
  const known = ofCalls.get(call);
  if (known?.ended === ended) return known.text;
  const { code, message } = end?.error ?? {};
  const text = textOf([server, method, name, code, message, args, end?.result]);
  ofCalls.set(call, { ended, text });
  return text;
}

/** The same of a notification or an error. */
export function textOfEvent(event: EventPicture): string {
  let text = ofEvents.get(event);
  if (text === undefined) {
    const { server } = event;
    text =
      event.type === 'notification'
        ? textOf([server, event.method, event.params])
        : textOf([server, event.error.code, event.error.message]);
    ofEvents.set(event, text);
  }
  return text;
}

function textOf(values: readonly unknown[]): string {
  const words: string[] = [];
  let left = MAX_CHARS;
  const add = (value: unknown, depth: number): void => {
    if (left <= 0 || depth > MAX_DEPTH) return;
    if (typeof value === 'object' && value !== null) {
      for (const name in value) {
        if (left <= 0) return;
        if (!Array.isArray(value)) add(name, depth);
        add((value as Record<string, unknown>)[name], depth + 1);
      }
    } else if (value !== undefined && value !== null) {
      const word = String(value as string | number | boolean).slice(0, left);
      left -= word.length + 1;
      words.push(word);
    }
  };
  for (const value of values) add(value, 0);
  return words.join('\n').toLowerCase();
}
