// A seeded generator, so that a failing run can be repeated.

export class Random {
  #state;

  constructor(seed) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** 0 <= n < 2^32 (mulberry32). */
  u32() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(n) {
    return this.u32() % n;
  }

  chance(percent) {
    return this.below(100) < percent;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** A key of table, by its weight. */
  weighted(table) {
    const entries = Object.entries(table);
    let left = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    return entries.find(([, weight]) => (left -= weight) < 0)[0];
  }
}

/** SEED from the environment, else from the clock; printed so that it can be given again. */
export function seededRandom() {
  const random = new Random(Number(process.env.SEED ?? Date.now() % 1_000_000));
  console.log(`SEED=${random.seed}`);
  return random;
}
