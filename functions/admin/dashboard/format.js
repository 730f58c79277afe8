// Figures as people read them. Amounts come as decimal strings; they become numbers only to be rounded
// for the eye or drawn, and the exact one stands in the title of the element.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
const date = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });

export const count = (number) => whole.format(number);
export const compact = (number) => (number < 100_000 ? whole.format(number) : short.format(number));

export function usd(text) {
  if (text === null || text === undefined) return "–";
  const amount = Number(text);
  if (amount === 0) return "$0";
  const digits = Math.abs(amount) >= 1 ? 2 : Math.abs(amount) >= 0.01 ? 4 : 6;
  return `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: digits })}`;
}

export function percent(part, all) {
  if (!all) return "–";
  const share = (100 * part) / all;
  return `${share.toFixed(share > 0 && share < 10 ? 1 : 0)} %`;
}

export function duration(micros) {
  if (micros === null || micros === undefined) return "–";
  const millis = micros / 1000;
  if (millis < 10) return `${millis.toFixed(1)} ms`;
  return millis < 10_000 ? `${count(Math.round(millis))} ms` : `${(millis / 1000).toFixed(1)} s`;
}

export const at = (text) => `${moment.format(new Date(text))} UTC`;
export const day = (text) => date.format(new Date(text));
export const slot = (seconds, unit) =>
  unit === "hour" ? `${moment.format(new Date(seconds * 1000))} UTC` : date.format(new Date(seconds * 1000));
