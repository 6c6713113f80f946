import { addUsage, noUsage, type TokenUsage } from '@longwire/agent';

/** The tokens of a conversation, as the API counted them. */
export class UsageTally {
  #turn: TokenUsage = noUsage;
  #total: TokenUsage = noUsage;
  #turns = 0;

  /** A turn begins. */
  begin(): void {
    this.#turn = noUsage;
    this.#turns++;
  }

  /** One answer of the API. */
  add(usage: TokenUsage): void {
    this.#turn = addUsage(this.#turn, usage);
    this.#total = addUsage(this.#total, usage);
  }

  /** What was used, in two lines; one before there was a turn. What it costs is not known here. */
  describe(): string[] {
    if (this.#turns === 0) return ['Nothing was asked yet.'];
    const turns = this.#turns === 1 ? '1 turn' : `${this.#turns} turns`;
    return [`last turn: ${describeUsage(this.#turn)}`, `${turns}: ${describeUsage(this.#total)}`];
  }
}

/** `1,200 tokens in (900 from the cache, 100 into it), 40 out` */
export function describeUsage(usage: TokenUsage): string {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  const all = inputTokens + cacheReadTokens + cacheWriteTokens;
  const cached = [
    ...(cacheReadTokens > 0 ? [`${count(cacheReadTokens)} from the cache`] : []),
    ...(cacheWriteTokens > 0 ? [`${count(cacheWriteTokens)} into it`] : []),
  ];
  const cache =
    cached.length === 0
      ? ''
      : ` (${cacheReadTokens > 0 ? cached.join(', ') : `${count(cacheWriteTokens)} into the cache`})`;
  return `${count(all)} tokens in${cache}, ${count(outputTokens)} out`;
}

function count(tokens: number): string {
  return tokens.toLocaleString('en-US');
}
