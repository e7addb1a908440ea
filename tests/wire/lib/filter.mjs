// The filter of protocol.md 8.4 over the entries of a model.

const list = (value) => (Array.isArray(value) ? value : [value]);

const among = (value, wanted) => list(wanted).some((one) => one.toLowerCase() === value);

function inRange(n, range) {
  if (typeof range === 'number') return n === range;
  const { start_at: from, start_after: after, end_at: to, end_before: before } = range;
  return !(n < from || n <= after || n > to || n >= before);
}

function hasTag(tags, key, wanted) {
  const same = tags.filter(([name]) => name === key);
  if (wanted === true) return same.length > 0;
  return same.some(([, value]) => list(wanted).includes(value));
}

const MATCH = {
  id: ({ event }, ids) => among(event.id, ids),
  seq: ({ event }, range) => inRange(event.seq, range),
  type: ({ event }, types) => list(types).includes(event.type),
  from: ({ event }, authors) => among(event.from, authors),
  tags: ({ event }, tags) =>
    Object.entries(tags).every(([key, wanted]) => hasTag(event.tags, key, wanted)),
  timestamp: ({ event }, range) => inRange(event.timestamp, range),
  status: ({ status }, wanted) => list(wanted).includes(status),
};

const DEFAULTS = { status: ['active', 'updated'] };

export function matches(entry, filter) {
  return Object.entries({ ...DEFAULTS, ...filter }).every(
    ([name, value]) => MATCH[name]?.(entry, value) ?? true);
}

/** { events: entries, next } as the node has to answer. */
export function select(model, reader, filter) {
  const { limit = 100, reverse = false } = filter;
  const all = [...model.entries.values()].filter(
    (entry) => matches(entry, filter) && model.reads(reader, entry.event));
  const ordered = reverse ? all.reverse() : all;
  const page = ordered.slice(0, limit);
  return { events: page, next: ordered.length > limit ? page.at(-1).event.seq : null };
}
