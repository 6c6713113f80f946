/** A place in a {@link LinkedList}. */
export interface LinkedNode<Item> {
  readonly item: Item;
  previous: LinkedNode<Item> | undefined;
  next: LinkedNode<Item> | undefined;
}

/** A list from whose middle an item is removed in the same time as from its end. */
export class LinkedList<Item> {
  #first: LinkedNode<Item> | undefined;
  #last: LinkedNode<Item> | undefined;
  #size = 0;

  /** How many items there are. */
  get size(): number {
    return this.#size;
  }

  /** The first item's place. */
  get first(): LinkedNode<Item> | undefined {
    return this.#first;
  }

  /** Adds an item at the end; its place, for {@link remove}. */
  push(item: Item): LinkedNode<Item> {
    const node: LinkedNode<Item> = { item, previous: this.#last, next: undefined };
    if (this.#last) this.#last.next = node;
    else this.#first = node;
    this.#last = node;
    this.#size++;
    return node;
  }

  /** Removes an item of this list. It must not have been removed before. */
  remove({ previous, next }: LinkedNode<Item>): void {
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    this.#size--;
  }
}
