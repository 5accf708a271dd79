// One job: its state, the course of equity and drawdown of a backtest, the best runs of a sweep, and every figure.
// Asks again until it has ended.

import { Chart } from "./chart.js";
import { drawdown, moments } from "./curve.js";
import { ask, element } from "./page.js";

const AGAIN_MS = 2000;
const LISTED = 10;
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

const words = (key) => key.replaceAll("_", " ");

function text(value, digits) {
  if (value === null || value === undefined) return "";
  return typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: digits }) : String(value);
}

function table(name, figures) {
  const scalars = Object.entries(figures ?? {}).filter(([, value]) => value !== null && typeof value !== "object");
  if (!scalars.length) return;
  const rows = scalars.map(([key, value]) =>
    element("tr", "", element("th", "", words(key)), element("td", "", text(value, 8))));
  card(name, element("table", "figures", element("tbody", "", ...rows)));
}

/** What runs of a sweep found, a line for each: what it is named by, and its figures in and out of sample. */
function runs(name, found) {
  const rows = found.map(([own, run]) => {
    const later = run.out_of_sample ?? {};
    const judged = Object.entries({ ...later.metrics, ...("place" in later ? { place: later.place } : {}) });
    return { ...own, ...run.metrics, ...Object.fromEntries(judged.map(([key, value]) => [`oos ${key}`, value])) };
  });
  if (!rows.length) return;
  const columns = Object.keys(rows[0]);
  const lines = rows.map((row) => element("tr", "", ...columns.map((key) => element("td", "", text(row[key], 4)))));
  const head = element("tr", "", ...columns.map((key) => element("th", "", words(key))));
  const made = element("table", "figures", element("thead", "", head), element("tbody", "", ...lines));
  const wide = element("div", "wide", made);
  wide.tabIndex = 0; // so that it can be moved with the keyboard
  wide.setAttribute("role", "region");
  wide.setAttribute("aria-label", name);
  card(name, wide);
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
  const best = result.runs && Array.isArray(result.best) ? result.best : [];
  runs("Best runs", best.slice(0, LISTED).map((run) => [run.parameters, run]));
  runs("The best run by symbol", (best[0]?.symbols ?? []).map((run) => [{ symbol: run.symbol }, run]));
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
