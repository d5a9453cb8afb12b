// What the counters were, second by second: rates are the difference.

/** Seconds that are remembered, and that are shown at least. */
const LENGTH = 300;
const SHORTEST = 60;

/** The numbers of a document of /v1/stats that only grow. */
function counters(stats) {
  const { requests, origin } = stats;
  const forwarded = Object.values(requests.forwarded).reduce((sum, number) => sum + number, 0);
  return {
    hits: requests.hit,
    requests: requests.hit + forwarded,
    shared: requests.collapsed,
    origin: origin.requests,
    failures: origin.failures,
    answers: Object.values(origin.answers).reduce((sum, number) => sum + number, 0),
    errors: origin.answers["5xx"],
    saved: stats.saved_seconds,
    evicted: stats.evicted,
    sent: stats.bytes_sent,
  };
}

/** The last minutes. */
class History {
  #samples = [];

  /** One more document, that has come at this moment in milliseconds. */
  add(stats, at) {
    const sample = { at, memory: stats.memory.bytes, ...counters(stats) };
    const last = this.#samples.at(-1);
    // Another process: it counts from zero.
    if (last && (sample.requests < last.requests || sample.origin < last.origin)) this.#samples = [];
    this.#samples.push(sample);
    this.#samples = this.#samples.filter((one) => at - one.at <= LENGTH * 1000);
  }

  /** The newest numbers. */
  get now() {
    return this.#samples.at(-1);
  }

  /** How much a counter has grown in the last seconds, and in how many. */
  grown(name, seconds) {
    const last = this.now;
    const first = this.#samples.find((one) => last.at - one.at <= seconds * 1000 + 500);
    return { by: last[name] - first[name], seconds: (last.at - first.at) / 1000 };
  }

  /** By how much a second; undefined as long as that is not known. */
  rate(name, seconds = 5) {
    const { by, seconds: passed } = this.grown(name, seconds);
    return passed > 0 && Number.isFinite(by) ? by / passed : undefined;
  }

  /** Seconds of which there are figures. */
  get seen() {
    return (this.now.at - this.#samples[0].at) / 1000;
  }

  /** Seconds that a chart shows: all that there are. */
  get window() {
    return Math.min(Math.max(this.seen, SHORTEST), LENGTH);
  }

  /** Points of a line, each `[seconds ago, value]`: what a counter grew by a second. */
  rates(name) {
    return this.#pairs((one, other) => (other[name] - one[name]) / ((other.at - one.at) / 1000));
  }

  /** The same of what is no counter. */
  values(name) {
    return this.#pairs((one, other) => other[name]);
  }

  #pairs(value) {
    const points = [];
    for (let at = 1; at < this.#samples.length; at += 1) {
      const [one, other] = [this.#samples[at - 1], this.#samples[at]];
      const point = value(one, other);
      if (Number.isFinite(point)) points.push([(this.now.at - other.at) / 1000, point]);
    }
    return points;
  }
}

/** What this page has seen. */
export const history = new History();
