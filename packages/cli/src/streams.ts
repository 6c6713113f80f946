/** Where input comes from. */
export type Input = NodeJS.ReadableStream & { isTTY?: boolean | undefined };

/** Where output goes; a terminal has columns. */
export type Output = NodeJS.WritableStream & {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
};

/** Resolves once everything written has been handed to the system, or cannot be any more. */
export function flushed(stream: Output): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}
