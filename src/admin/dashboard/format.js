// Numbers as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const THIN = "\u202f";

/** A count. */
export function count(number) {
  return whole.format(number);
}

/** So many of something. */
export function many(number, one, more = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : more}`;
}

/** So many a second. */
export function rate(number) {
  return number >= 100 ? whole.format(number) : tenths.format(number);
}

/** A share from 0 to 1, without its unit; never 100 for what is less. */
export function share(part) {
  const percent = part * 100;
  return tenths.format(percent >= 99.95 && part < 1 ? 99.9 : percent);
}

/** The same with its unit. */
export function percent(part) {
  return `${share(part)}${THIN}%`;
}

/** Bytes. */
export function bytes(number) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (number >= 1024 && at < units.length - 1) {
    number /= 1024;
    at += 1;
  }
  return `${at === 0 || number >= 100 ? whole.format(number) : tenths.format(number)}${THIN}${units[at]}`;
}

/** A span of time. */
export function span(seconds) {
  if (seconds === 0) return `0${THIN}s`;
  if (seconds < 0.001) return `${(seconds * 1000).toFixed(2)}${THIN}ms`;
  if (seconds < 0.01) return `${(seconds * 1000).toFixed(1)}${THIN}ms`;
  if (seconds < 1) return `${whole.format(seconds * 1000)}${THIN}ms`;
  if (seconds < 60) return `${seconds < 10 && !Number.isInteger(seconds) ? tenths.format(seconds) : whole.format(seconds)}${THIN}s`;
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, length]) => seconds >= length);
  const [unit, length] = units[first];
  const [less, shorter] = units[first + 1] ?? ["", 1];
  const rest = Math.floor((seconds % length) / shorter);
  const begun = `${Math.floor(seconds / length)}${THIN}${unit}`;
  return rest > 0 && less ? `${begun} ${rest}${THIN}${less}` : begun;
}

/** A lifetime that is left, or has been over for a while. */
export function left(seconds) {
  return seconds >= 0 ? `${span(seconds)} left` : `for ${span(-seconds)}`;
}

/** A moment, by the reader's clock. */
export function moment(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const time = at.toLocaleTimeString("en-GB");
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString("en-CA")} ${time}`;
}
