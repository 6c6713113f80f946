import { blocksOf, type UserBlock } from '@longwire/agent';
import type { ReadResourceResult } from '@longwire/client';

/** What the user gave to the next question: contents of resources. */
export class Attachments {
  #blocks: UserBlock[] = [];

  /** Adds the contents of a resource; how many blocks Claude is shown of them. */
  add({ contents }: ReadResourceResult): number {
    const blocks = blocksOf(contents.map((resource) => ({ type: 'resource', resource })));
    this.#blocks.push(...blocks);
    return blocks.length;
  }

  /** A question with what is attached. */
  with(question: string | readonly UserBlock[]): UserBlock[] {
    const asked = typeof question === 'string' ? [textBlock(question)] : question;
    return [...this.#blocks, ...asked];
  }

  /** They were sent, or are no longer wanted. */
  clear(): void {
    this.#blocks = [];
  }
}

function textBlock(text: string): UserBlock {
  return { type: 'text', text };
}
