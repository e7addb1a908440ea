// Waiting, always with an end.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The first truthy value of probe(), asked every 20 ms. */
export async function until(probe, what, timeout = 8000) {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${timeout} ms for ${what}`);
    await sleep(20);
  }
}

/** Run an async function over items, at most width at once; results in order. */
export async function mapWide(items, width, body) {
  const results = new Array(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await body(items[i], i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}
