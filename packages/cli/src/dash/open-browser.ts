import { spawn } from 'node:child_process';

/** What opens an address, by platform. The address has no character that `cmd` would take apart. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/d', '/c', 'start', '""'],
};

/**
 * Opens an address in the browser, if there is one. Nobody waits for it, and nothing is said where it
 * fails: the address is printed, too.
 */
export function openBrowser(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): void {
  const [command, ...args] = OPENERS[platform] ?? ['xdg-open'];
  const hasScreen =
    OPENERS[platform] !== undefined || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
  if (!hasScreen) return;
  const options = { detached: true, stdio: 'ignore', windowsVerbatimArguments: true } as const;
  const opener = spawn(command, [...args, url], options);
  opener.on('error', () => undefined);
  opener.unref();
}
