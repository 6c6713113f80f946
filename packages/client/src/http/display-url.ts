/** A URL as it may be shown: without user info, and without its query, which may hold a secret. */
export function displayUrl(url: URL): string {
  return url.origin + url.pathname;
}
