/** One HTTP request, as far as a server of a case looks at it. */
export interface WireRequest {
  method: string;
  /** Without the query. */
  path: string;
  body: string;
}

/** Takes the requests of one connection out of its bytes. Knows what a client of HTTP/1.1 sends. */
export class RequestReader {
  #bytes = Buffer.alloc(0);

  /** The requests that are complete with these bytes. */
  read(chunk: Buffer): WireRequest[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const requests: WireRequest[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) requests.push(next);
    return requests;
  }

  #next(): WireRequest | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const head = this.#bytes.toString('latin1', 0, end);
    const size = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const bodyAt = end + 4;
    if (this.#bytes.length < bodyAt + size) return undefined;
    const body = this.#bytes.toString('utf8', bodyAt, bodyAt + size);
    this.#bytes = this.#bytes.subarray(bodyAt + size);
    const [method = '', target = ''] = head.split(' ', 2);
    return { method, path: target.split('?', 1)[0] ?? '', body };
  }
}
