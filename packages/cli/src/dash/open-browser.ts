import { spawn } from 'node:child_process';

/**
 * What opens an address, by platform. None of them is a shell: an address may have characters that a
 * shell takes for commands, and a server may have written it.
 */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Whether there is a screen, on which a browser may be. */
export function canOpenBrowser(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): boolean {
  return OPENERS[platform] !== undefined || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
}

/**
 * Opens an address of the web in the browser, if there is one. Nobody waits for it, and nothing is said
 * where it fails: the address is printed, too.
 */
export function openBrowser(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): void {
  if (!canOpenBrowser(env, platform)) return;
  const [command, ...args] = OPENERS[platform] ?? ['xdg-open'];
  // As a URL is written again, it has no blank and no quote.
  const address = new URL(url).href;
  const opener = spawn(command, [...args, address], { detached: true, stdio: 'ignore' });
  opener.on('error', () => undefined);
  opener.unref();
}
