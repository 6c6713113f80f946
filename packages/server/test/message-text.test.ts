import { pino } from 'pino';
import { expect, it } from 'vitest';
import { messageText } from '../src/events/message-text.ts';

const options = { maxMessageBytes: 1_000, log: pino({ enabled: false }) };

it('sends a bigint as the integer that it is, and no text that looks like one', () => {
  const result = { content: [], big: 2n ** 60n, list: [-1n], text: 'integer 1', number: 0.5 };
  const { text } = messageText({ jsonrpc: '2.0', id: 1, result }, options);
  expect(text).toContain('"big":1152921504606846976,"list":[-1],"text":"integer 1","number":0.5');
});
