// Asks for the panels again and again, and shows each as what it is: values, nothing, old values, or an error.

import { Chart, Spark } from "./chart.js";
import { showFiring } from "./firing.js";
import { clock, format } from "./format.js";
import { listJobs } from "./jobs.js";
import { listEvents } from "./marks.js";
import { ask, element } from "./page.js";
import { Range } from "./range.js";

const RETRY_S = 15;
const POINT_MS = 2500;
const WORDS = { ok: "ok", warning: "warning", critical: "critical", none: "" };

const elements = Object.fromEntries(
  ["title", "updated", "range", "span", "from", "to", "live", "refresh", "banner", "firing", "events", "panels"].map((id) => [id, document.getElementById(id)]),
);
const cards = new Map();
let updatedAt = null;
let timer = null;
let asking = null;

/** One panel on the page; it keeps its chart from one refresh to the next. */
class Card {
  constructor(panel) {
    this.root = element("section", `panel ${panel.kind}`);
    const heading = element("h2", "", panel.title);
    heading.id = `panel-${panel.id}`;
    this.badge = element("span", "badge");
    const head = element("div", "head", heading, this.badge);
    this.note = element("p", "note");
    this.body = element("div", "body");
    this.legend = element("ul", "legend");
    this.root.setAttribute("aria-labelledby", heading.id);
    this.root.title = panel.description;
    this.root.append(head, this.note, this.body);
    if (panel.kind === "stat") {
      this.value = element("p", "value");
      this.word = element("p", "word");
      this.root.insertBefore(this.value, this.body);
      this.root.insertBefore(this.word, this.body);
    } else {
      this.root.append(this.legend);
    }
    this.drawn = null;
  }

  show(panel, times, events) {
    this.root.dataset.status = panel.status;
    this.root.dataset.level = panel.level;
    this.root.style.setProperty("--columns", panel.width);
    this.badge.textContent = panel.status === "ok" ? "" : panel.status === "empty" ? "no data" : panel.status;
    this.note.textContent = this.noteOf(panel);
    if (panel.kind === "stat") {
      this.value.textContent = format(panel.value, panel.unit, panel.decimals);
      this.word.textContent = WORDS[panel.level];
    }
    const empty = !panel.series.some((one) => one.values.some((value) => value !== null));
    this.root.classList.toggle("bare", empty);
    if (empty) this.drop();
    else if (this.drawn) this.drawn.update(panel, times, events);
    else this.draw(panel, times, events);
  }

  noteOf(panel) {
    const hidden = panel.hidden_series ? `${panel.hidden_series} more lines are not drawn.` : "";
    return [panel.note, hidden].filter(Boolean).join(" ");
  }

  draw(panel, times, events) {
    this.drawn =
      panel.kind === "stat"
        ? new Spark(this.body, times, panel)
        : new Chart(panel, times, events, this.body, this.legend, {
            onZoom: (from, to) => range.zoom(from, to),
            onReset: () => range.reset(),
          });
    this.body.setAttribute("role", "img");
    this.body.setAttribute("aria-label", `${panel.title} over time`);
  }

  /** Bring it into view, and say which one it is. */
  point() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.root.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "center" });
    this.root.classList.add("pointed");
    setTimeout(() => this.root.classList.remove("pointed"), POINT_MS);
  }

  drop() {
    this.drawn?.destroy();
    this.drawn = null;
  }
}

function show(document_) {
  elements.title.textContent = document_.title;
  document.title = `${document_.title} · tradebot`;
  const ids = document_.panels.map((panel) => panel.id);
  for (const [id, card] of cards) {
    if (!ids.includes(id)) {
      card.drop();
      card.root.remove();
      cards.delete(id);
    }
  }
  for (const panel of document_.panels) {
    if (!cards.has(panel.id)) {
      const card = new Card(panel);
      cards.set(panel.id, card);
      elements.panels.append(card.root);
    }
    cards.get(panel.id).show(panel, document_.times, document_.events);
  }
  showFiring(elements.firing, document_.firing, document_.firing_note, (id) => cards.get(id)?.point());
  listEvents(elements.events, document_.events, document_.events_note);
}

function tell(text) {
  if (elements.banner.textContent !== text) elements.banner.textContent = text;
  elements.banner.hidden = !text;
}

async function refresh() {
  clearTimeout(timer);
  let next = RETRY_S;
  asking?.abort();
  asking = new AbortController();
  elements.panels.setAttribute("aria-busy", "true");
  try {
    const found = await ask(`/dashboard/panels?${new URLSearchParams(range.query())}`, asking.signal);
    show(found);
    next = found.refresh_s;
    updatedAt = found.generated_at;
    elements.updated.textContent = `${found.end === null ? "updated" : "until"} ${clock(updatedAt)}`;
    document.body.classList.remove("old");
    tell(found.note);
  } catch (error) {
    if (error.name === "AbortError") return; // a newer question took over
    document.body.classList.add("old");
    const since = updatedAt ? `What you see is from ${clock(updatedAt)}.` : "";
    tell(`Not refreshed: ${error.message} ${since}`);
    elements.updated.textContent = updatedAt ? `old: ${clock(updatedAt)}` : "no data";
  } finally {
    elements.panels.setAttribute("aria-busy", "false");
  }
  timer = setTimeout(() => document.hidden || refresh(), next * 1000);
}

const range = new Range({ ...elements, select: elements.range, form: elements.span }, refresh);
elements.refresh.addEventListener("click", refresh);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key === "r" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing) refresh();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const card of cards.values()) card.drawn?.repaint();
});
listJobs(document.getElementById("jobs"));
refresh();
