/** What is tested, and the time that it lives in. */
export interface Made<Store> {
  readonly store: Store;
  /** Lets time pass: by a fake clock, or by waiting. */
  advance(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes an empty one. */
export type Make<Store, Options = void> = (options: Options) => Promise<Made<Store>>;

/** Runs a test with a store of its own. */
export async function using<Store>(
  making: Promise<Made<Store>>,
  test: (made: Made<Store>) => Promise<void>,
): Promise<void> {
  const made = await making;
  try {
    await test(made);
  } finally {
    await made.close();
  }
}
