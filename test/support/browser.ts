import { request } from 'undici';

/** A browser without a screen: follows redirects, keeps cookies, and submits the forms that it is given. */
export class Browser {
  readonly #cookies = new Map<string, string>();
  /** Every address that it was led to. */
  readonly visited: string[] = [];

  /** Opens an address, and says where it ended: the page, or the first address that `until` takes. */
  async open(
    address: string,
    options: { until?: (url: URL) => boolean; form?: URLSearchParams } = {},
  ): Promise<{ url: URL; status: number; text: string }> {
    const { until } = options;
    let { form } = options;
    let url = new URL(address);
    for (let steps = 0; steps < 20; steps++) {
      this.visited.push(url.href);
      if (until?.(url) === true) return { url, status: 0, text: '' };
      // `fetch` says by itself that it is no navigation.
      const response = await request(url, {
        method: form === undefined ? 'GET' : 'POST',
        body: form?.toString() ?? null,
        headers: {
          cookie: this.#cookieFor(url),
          'sec-fetch-mode': 'navigate',
          ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        },
      });
      const { statusCode: status, headers } = response;
      this.#keep(url, [headers['set-cookie'] ?? []].flat());
      const text = await response.body.text();
      const location = [headers.location].flat()[0];
      if (location === undefined) return { url, status, text };
      url = new URL(location, url);
      form = undefined;
    }
    throw new Error(`too many redirections: ${this.visited.join(' ')}`);
  }

  /** Submits the only form of a page, with its hidden values and these. */
  async submit(
    page: { url: URL; text: string },
    values: Readonly<Record<string, string>>,
  ): Promise<{ url: URL; status: number; text: string }> {
    const [, action = page.url.href] = /<form[^>]* action="([^"]*)"/.exec(page.text) ?? [];
    const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    const form = new URLSearchParams(hidden.map(([, name = '', value = '']) => [name, value]));
    for (const [name, value] of Object.entries(values)) form.set(name, value);
    return await this.open(new URL(action, page.url).href, { form });
  }

  #cookieFor({ host }: URL): string {
    const prefix = `${host} `;
    return [...this.#cookies]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => `${key.slice(prefix.length)}=${value}`)
      .join('; ');
  }

  #keep({ host }: URL, cookies: readonly string[]): void {
    for (const cookie of cookies) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(cookie) ?? [];
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(cookie)) {
        this.#cookies.delete(`${host} ${name}`);
      } else this.#cookies.set(`${host} ${name}`, value);
    }
  }
}
