import { request, type IncomingHttpHeaders } from 'node:http';
import { Picture, type PictureData, type RecordedLine } from '@longwire/recording';
import { openEvents, type EventTap } from '../../../../test/support/event-tap.ts';
import { until } from '../../../../test/support/until.ts';

/** What the page's server answered. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Sends a request as it is, `Host` and `Origin` included. */
export function send(
  url: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: object; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A page that was opened by its address, which has the token, and what it asks for. */
export class OpenPage {
  /** With the path of a page that is not at the root. */
  readonly origin: string;
  readonly token: string;

  constructor(url: string) {
    const { origin, pathname, searchParams } = new URL(url);
    this.origin = origin + pathname.replace(/\/$/, '');
    this.token = searchParams.get('token') ?? '';
  }

  get(path: string): Promise<Answer> {
    return send(this.origin + path, { headers: { authorization: `Bearer ${this.token}` } });
  }

  post(path: string, body: unknown = {}): Promise<Answer> {
    return send(this.origin + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.token}`,
        'content-type': 'application/json',
        'x-longwire-page': '1',
      },
      body: JSON.stringify(body),
    });
  }

  /** Asks for a call, and says its number. */
  async call(request: object): Promise<number> {
    const { status, body } = await this.post('/api/call', request);
    if (status !== 202) throw new Error(`the call was answered with ${status}: ${body}`);
    return (JSON.parse(body) as { call: number }).call;
  }

  async follow(lastEventId?: string): Promise<FollowedPicture> {
    const headers = {
      authorization: `Bearer ${this.token}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    return new FollowedPicture(await openEvents(`${this.origin}/api/stream`, { headers }));
  }
}

/** The picture that a page has, by what is streamed to it. */
export class FollowedPicture implements AsyncDisposable {
  readonly tap: EventTap;
  #picture = new Picture();
  #read = 0;

  constructor(tap: EventTap) {
    this.tap = tap;
  }

  /** The picture by all that came so far. */
  get picture(): Picture {
    for (const { event, data } of this.tap.events.slice(this.#read)) {
      if (event === 'snapshot') {
        this.#picture = Picture.from((JSON.parse(data) as { picture: PictureData }).picture);
      }
      if (event === 'lines') {
        for (const line of JSON.parse(data) as RecordedLine[]) this.#picture.apply(line);
      }
    }
    this.#read = this.tap.events.length;
    return this.#picture;
  }

  /** The names of the events so far. */
  get names(): readonly string[] {
    return this.tap.events.map(({ event }) => event);
  }

  until(fact: (picture: Picture) => unknown): Promise<void> {
    return until(() => {
      if (!fact(this.picture)) throw new Error(`never so: ${String(fact)}`);
    });
  }

  /** The state of a server's connection now. */
  stateOf(server: string): string | undefined {
    return this.picture.servers.get(server)?.states.at(-1)?.state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tap[Symbol.asyncDispose]();
  }
}
