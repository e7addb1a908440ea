// What /metrics says, as a map from series to value.

import { request } from './http.mjs';

export const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0';

/** The page as text; accept picks the format. */
export async function scrape(daemon, accept = 'text/plain') {
  const { status, text } = await request('GET', daemon.admin, '/metrics', undefined, { accept });
  if (status !== 200) throw new Error(`/metrics answers ${status}`);
  return text;
}

/** 'name{label="value"}' -> number, labels in the page's order. */
export function parsePage(text) {
  const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(' ');
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

export const readMetrics = async (daemon) => parsePage(await scrape(daemon));

/** What became more: { series: difference } for those that the pattern fits. */
export function changed(before, after, pattern) {
  const differences = {};
  for (const [series, value] of after) {
    const more = value - (before.get(series) ?? 0);
    if (more !== 0 && pattern.test(series)) differences[series] = more;
  }
  return differences;
}
