// One job: its state, the course of equity and drawdown of a backtest, and every figure. Asks again until it has ended.

import { Chart } from "./chart.js";
import { drawdown, moments } from "./curve.js";
import { ask, element } from "./page.js";

const AGAIN_MS = 2000;
const ENDED = ["succeeded", "dead", "cancelled"];

const [title, updated, banner, panels] = ["title", "updated", "banner", "panels"].map((id) => document.getElementById(id));
const id = location.pathname.split("/").at(-1);
let charts = [];

function card(name, ...content) {
  const made = element("section", "panel timeseries", element("h2", "", name), ...content);
  made.style.setProperty("--columns", 24);
  panels.append(made);
  return made;
}

function draw(name, unit, times, values) {
  const body = element("div", "body");
  const legend = element("ul", "legend");
  body.setAttribute("role", "img");
  body.setAttribute("aria-label", `${name} over time`);
  card(name, body, legend);
  const panel = { unit, decimals: null, min: null, max: null, thresholds: [], series: [{ name, values }] };
  charts.push(new Chart(panel, times, [], body, legend, { onZoom: () => {}, onReset: () => {} }));
}

function table(name, figures) {
  const scalars = Object.entries(figures ?? {}).filter(([, value]) => value !== null && typeof value !== "object");
  if (!scalars.length) return;
  const rows = scalars.map(([key, value]) => {
    const text = typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: 8 }) : String(value);
    return element("tr", "", element("th", "", key.replaceAll("_", " ")), element("td", "", text));
  });
  card(name, element("table", "figures", element("tbody", "", ...rows)));
}

function tell(text) {
  banner.textContent = text;
  banner.hidden = !text;
}

function show(job) {
  const result = job.result ?? {};
  title.textContent = [job.type, result.symbol, result.strategy].filter(Boolean).join(" ");
  document.title = `${title.textContent} · tradebot`;
  updated.textContent = ENDED.includes(job.state) ? job.state : `${job.state}, ${Math.round(100 * job.progress)} % ${job.note}`;
  tell(job.error ? job.error.message : "");
  for (const chart of charts) chart.destroy();
  charts = [];
  panels.replaceChildren();
  const curve = result.equity_curve;
  if (curve?.day.length > 1) {
    const times = moments(curve.day);
    draw("Equity", "short", times, curve.equity);
    draw("Drawdown", "percentunit", times, drawdown(curve.equity));
  }
  table("Figures", { ...result, ...result.metrics });
  table("Parameters", { ...job.payload, ...result.parameters });
}

async function refresh() {
  try {
    const job = await ask(`/jobs/${encodeURIComponent(id)}`);
    show(job);
    if (ENDED.includes(job.state)) return;
  } catch (error) {
    updated.textContent = "not known";
    tell(error.message);
  }
  setTimeout(refresh, AGAIN_MS);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts) chart.repaint();
});
refresh();
