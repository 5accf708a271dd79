// What happened, as marks in the charts and as a list: alerts, starts, deploys, scalings.

import { moment, span } from "./format.js";
import { element } from "./page.js";
import { style } from "./style.js";

const COLORS = { red: "--critical", orange: "--warning", yellow: "--warning", green: "--ok", blue: "--accent" };

export function markColor(event) {
  return style(COLORS[event.color] ?? "--muted");
}

/** Draws events into a chart: a line where one begins, a band as long as it lasts. */
export function drawMarks(chart, events) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const event of events) {
    const color = markColor(event);
    const from = chart.valToPos(event.at, "x", true);
    const to = chart.valToPos(event.until, "x", true);
    ctx.fillStyle = `${color}18`;
    if (to > from) ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.strokeStyle = color;
    ctx.lineWidth = ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(from, bbox.top);
    ctx.lineTo(from, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function counted(events) {
  const counts = new Map();
  for (const event of events) counts.set(event.kind, (counts.get(event.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${count === 1 ? kind.toLowerCase().replace(/s$/, "") : kind.toLowerCase()}`).join(", ");
}

/** The list of events in `box`, a `details` element; `note` says why some may be missing. */
export function listEvents(box, events, note) {
  const summary = box.querySelector("summary");
  const list = box.querySelector("ul");
  const missing = note ? `Not known: ${note}.` : "";
  summary.textContent = ["Events:", counted(events) || (note ? "" : "none in this range."), missing].filter(Boolean).join(" ");
  list.replaceChildren(
    ...events.map((event) => {
      const mark = element("span", "mark");
      mark.style.background = markColor(event);
      const time = element("time", "", moment(event.at));
      time.dateTime = new Date(event.at * 1000).toISOString();
      const lasted = event.until > event.at ? `, ${span(event.until - event.at)}` : "";
      return element("li", "", mark, time, ` ${event.kind}: ${event.text}${lasted}`);
    }),
  );
}
