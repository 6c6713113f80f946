/** Numbers from 0 up to 1 that look random and are the same for the same text (mulberry32). */
export function randomFrom(text: string): () => number {
  let state = 0x9e3779b9;
  for (const char of text) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A made-up price: where it began, where it is, and how far it has been. */
export interface Quote {
  symbol: string;
  open: number;
  price: number;
  low: number;
  high: number;
}

/** A price that walks at random, always the same way for the same symbol. */
export class PriceWalk {
  readonly #random: () => number;
  #quote: Quote;

  constructor(symbol: string) {
    this.#random = randomFrom(symbol);
    const open = cents(20 + this.#random() * 480);
    this.#quote = { symbol, open, price: open, low: open, high: open };
  }

  get quote(): Quote {
    return this.#quote;
  }

  /** Moves the price by at most one part in a hundred. */
  step(): void {
    const { symbol, open, low, high, price: before } = this.#quote;
    const price = cents(before * (0.99 + this.#random() * 0.02));
    this.#quote = { symbol, open, price, low: Math.min(low, price), high: Math.max(high, price) };
  }
}

/** A quote in words: `AAPL 187.32 (+0.42 %)`. */
export function describeQuote({ symbol, open, price }: Quote): string {
  const change = ((price - open) / open) * 100;
  return `${symbol} ${price.toFixed(2)} (${change < 0 ? '' : '+'}${change.toFixed(2)} %)`;
}

function cents(price: number): number {
  return Math.round(price * 100) / 100;
}
