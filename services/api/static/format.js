// Values as people read them, by Grafana's names of units.

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB"];
const DECIMAL = ["", " k", " M", " G"];

function digits(value, decimals) {
  const places = decimals ?? (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
  return value.toLocaleString("en", { maximumFractionDigits: places });
}

function scaled(value, base, names, decimals) {
  let step = 0;
  while (Math.abs(value) >= base && step < names.length - 1) {
    value /= base;
    step += 1;
  }
  // A whole number stays whole until it is scaled.
  return digits(value, step ? undefined : decimals) + names[step];
}

function seconds(value) {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 0.001) return `${digits(value * 1e6)} µs`;
  if (size < 1) return `${digits(value * 1000)} ms`;
  if (size < 120) return `${digits(value)} s`;
  if (size < 7200) return `${digits(value / 60)} min`;
  return `${digits(value / 3600)} h`;
}

const UNITS = {
  s: seconds,
  ops: (value) => `${digits(value)}/s`,
  percentunit: (value) => `${digits(value * 100, 1)} %`,
  bytes: (value) => scaled(value, 1024, BINARY.map((name) => ` ${name}`), 0),
};

/** `value` in its unit; a dash where there is none. */
export function format(value, unit, decimals) {
  if (value === null || value === undefined) return "–";
  return UNITS[unit] ? UNITS[unit](value) : scaled(value, 1000, DECIMAL, decimals);
}

export function clock(unixSeconds) {
  return new Date(unixSeconds * 1000).toLocaleTimeString([], {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
}

export function moment(unixSeconds) {
  const at = new Date(unixSeconds * 1000);
  return at.toLocaleString([], {
    year: at.getFullYear() === new Date().getFullYear() ? undefined : "numeric",
    month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
}

/** A length of time in its largest unit. */
export function span(length) {
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (length >= size) return `${Math.floor(length / size)} ${unit}`;
  }
  return `${Math.floor(length)} s`;
}
