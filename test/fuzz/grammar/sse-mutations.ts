import type { Random } from '@longwire/testing';
import { pick, seldom, type Mutate, type Table } from './mutation.ts';
import { ODD_TEXTS } from './odd-values.ts';

const EVENT_NAMES = [
  'error',
  'result',
  'endpoint',
  'tools',
  'ping',
  'close',
  '',
  ' message',
  'MESSAGE',
];

const IDS = ['', '0', '-1', 'é', 'a\u0000b', 'x'.repeat(100_000), 'a b:c', '\u001b[31m'];

const RETRIES = ['0', '1', '-1', '999999999999', '1.5', 'x', '', '1e3'];

const ENDPOINTS = [
  '',
  ' ',
  '/',
  '?session_id=1',
  '#',
  '//127.0.0.1:9/messages',
  'http://127.0.0.1:9/messages?session_id=1',
  'https://example.com/messages?session_id=1',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/plain,x',
  'ws://127.0.0.1/messages',
  'http://[::1',
  'http://user:secret@127.0.0.1/messages',
  '/messages?session_id=\u001b[31m',
  '/messages\u0000',
  '\\\\127.0.0.1\\messages',
  '/messages?session_id=1&session_id=2',
  `/messages?session_id=${'x'.repeat(100_000)}`,
  '{"url":"/messages"}',
  '"/messages?session_id=1"',
  '/nowhere?session_id=1',
];

/** Odd events, and odd streams around an event. */
export const SSE_MUTATIONS: Table<string> = {
  endpoint: endpoint((_, random) => pick(random, ENDPOINTS)),
  'endpoint-later': (event) => `${event}event: endpoint\ndata: /messages?session_id=other\n\n`,
  'endpoint-twice': (event) => (isEndpoint(event) ? event + event : event),
  'event-name': (event, random) =>
    event.replace(/^event:.*$/m, `event: ${pick(random, EVENT_NAMES)}`),
  'event-name-odd': (event, random) =>
    event.replace(/^event:.*$/m, () => `event: ${pick(random, ODD_TEXTS)}`),
  'event-name-missing': (event) => event.replace(/^event:.*\n/m, ''),
  id: (event, random) => `id: ${pick(random, IDS)}\n${event}`,
  'id-alone': (event, random) => `id: ${pick(random, IDS)}\n\n${event}`,
  // What servers that can resume a stream begin it with.
  priming: (event) => `id: 1\ndata: \n\n${event}`,
  'priming-and-retry': (event) => `id: 1\nretry: 0\ndata:\n\n${event}`,
  retry: (event, random) => `retry: ${pick(random, RETRIES)}\n${event}`,
  comments: (event) => `: comment\n:\n:\u001b[31m\n\n${event}`,
  'comments-many': (event) => ': x\n'.repeat(20_000) + event,
  'comment-long': seldom((event) => `:${'x'.repeat(16 * 2 ** 20)}\n\n${event}`),
  'comment-endless': seldom((event) => `${event}:${'x'.repeat(80 * 2 ** 20)}`),
  'fields-unknown': (event) => `foo: bar\nbaz\n:\ndatas: x\n${event}`,
  'blank-lines': (event) => `${'\n'.repeat(1000)}${event}`,
  'blank-line-missing': (event) => event.replace(/\n\n$/, '\n'),
  'line-end-missing': (event) => event.replace(/\n\n$/, ''),
  'data-empty': (event) => event.replace(/^data:.*$/m, 'data:'),
  'data-without-colon': (event) => event.replace(/^data:.*$/m, 'data'),
  'data-missing': (event) => event.replace(/^data:.*\n/m, ''),
  'data-lines': (event) => event.replaceAll(',"', ',\ndata: "'),
  'data-lines-empty': (event) => event.replace(/^data: /m, 'data:\ndata: '),
  'data-lines-many': seldom((event) => 'data:\n'.repeat(2 * 2 ** 20) + event),
  'data-no-space': (event) => event.replace(/^data: /m, 'data:'),
  'data-spaces': (event) => event.replace(/^data: /m, 'data:      '),
  'line-ends-cr': (event) => event.replaceAll('\n', '\r'),
  'line-ends-crlf': (event) => event.replaceAll('\n', '\r\n'),
  'line-ends-mixed': (event) => event.replace('\n', '\r').replace(/\n$/, '\r\n'),
  'line-ends-unicode': (event) => event.replace(/\n/, '\u2028'),
  'byte-order-mark': (event) => `\ufeff${event}`,
  'done-marker': (event) => `${event}data: [DONE]\n\n`,
  'events-many': seldom((event) => 'event: noise\ndata: 1\n\n'.repeat(50_000) + event),
  'http-in-events': (event) => `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n${event}`,
};

function isEndpoint(event: string): boolean {
  return event.startsWith('event: endpoint');
}

/** Changes where the client is told to post to; other events stay as they are. */
function endpoint(change: (data: string, random: Random) => string): Mutate<string> {
  return (event, random) =>
    isEndpoint(event)
      ? event.replace(/^data: (.*)$/m, (_, data: string) => `data: ${change(data, random)}`)
      : event;
}
