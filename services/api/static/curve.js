// The curve of a backtest, as a chart wants it.

/** Unix seconds of days, as they are written in whatever zone the reader is, or of the times of bars, in UTC. */
export function moments(days) {
  return days.map((day) => {
    const written = day.length <= "2024-01-02".length ? `${day}T00:00` : /(Z|[+-]\d\d:\d\d)$/.test(day) ? day : `${day}Z`;
    return new Date(written).getTime() / 1000;
  });
}

/** How far each value is below the highest one so far: 0 at a new height, -0.1 ten percent below it. */
export function drawdown(values) {
  let highest = -Infinity;
  return values.map((value) => {
    highest = Math.max(highest, value);
    return highest > 0 ? value / highest - 1 : 0;
  });
}
