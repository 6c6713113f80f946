/** What was asked of the page's server and cannot be done. */
export class PageError extends Error {
  override readonly name: string = 'PageError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
