// One panel's series as a chart with a legend, and the course of a stat.

import { format } from "./format.js";
import { Legend } from "./legend.js";
import { drawMarks } from "./marks.js";
import { style } from "./style.js";

const LINES = 10;
const MONTH_S = 28 * 86400;
const SYNC = "dashboard";
const SHORTEST_DRAG = 8; // pixels; less is a click
const BINARY_STEPS = Array.from({ length: 45 }, (_, power) => 2 ** power);
const WHOLE_STEPS = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
const STEPS = { bytes: BINARY_STEPS, short: WHOLE_STEPS };

function lineColor(slot) {
  return style(`--line-${slot % LINES}`);
}

function scaleOf(panel) {
  return (_chart, low, high) => {
    const bottom = Math.min(panel.min ?? low ?? 0, low ?? 0);
    const top = Math.max(panel.max ?? 0, high ?? 0);
    return [bottom, top > bottom ? (panel.max === null ? top * 1.08 : top) : bottom + 1];
  };
}

function drawThresholds(panel) {
  return (chart) => {
    if (!panel.threshold_lines) return;
    const { ctx, bbox } = chart;
    for (const step of panel.thresholds) {
      if (step.value === null) continue;
      const y = chart.valToPos(step.value, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.save();
      ctx.strokeStyle = style(`--${step.level}`) || style("--muted");
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.restore();
    }
  };
}

function axes(panel) {
  const common = {
    stroke: style("--muted"),
    grid: { stroke: style("--grid"), width: 1 },
    ticks: { stroke: style("--grid"), width: 1 },
    font: "11px system-ui, sans-serif",
  };
  const values = (_chart, splits) => splits.map((value) => format(value, panel.unit));
  const y = { ...common, values, size: 64, gap: 4 };
  if (STEPS[panel.unit]) y.incrs = STEPS[panel.unit];
  const two = (number) => String(number).padStart(2, "0");
  const times = (_chart, splits, _axis, _space, step) =>
    splits.map((at) => {
      const date = new Date(at * 1000);
      const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
      const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
      if (step >= MONTH_S) return `${date.getFullYear()}-${two(date.getMonth() + 1)}`;
      return step >= 86400 ? day : date.getHours() + date.getMinutes() === 0 ? `${day}\n${time}` : time;
    });
  return [{ ...common, values: times, space: 64, size: 34 }, y];
}

/** A chart in `box`, its legend in `list`. `onZoom(from, to)` hears of a stretch that was drawn with the pointer,
 *  `onReset()` of a double click. `update` shows new data, `destroy` ends it. */
export class Chart {
  constructor(panel, times, events, box, list, { onZoom, onReset }) {
    this.box = box;
    this.onZoom = onZoom;
    this.slots = new Map();
    this.legend = new Legend(list, (place, show) => this.plot.setSeries(place + 1, { show }));
    this.build(panel, times, events);
    this.reset = onReset;
    box.addEventListener("dblclick", this.reset);
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(box);
  }

  build(panel, times, events) {
    this.panel = panel;
    this.times = times;
    this.events = events;
    this.names = this.namesOf(panel);
    const slots = panel.series.map((one) => this.slot(one.name));
    this.legend.draw(panel, slots.map(lineColor));
    const series = panel.series.map((one, place) => ({
      label: one.name,
      stroke: lineColor(slots[place]),
      fill: panel.series.length <= 3 ? `${lineColor(slots[place])}1a` : undefined,
      width: 1.5,
      // Colours repeat after the tenth line, so the next ten are dashed.
      dash: slots[place] < LINES ? undefined : [6, 4],
      points: { show: (_chart, _series, from, to) => to - from < 2 },
      show: !this.legend.hidden.has(one.name),
    }));
    this.plot = new uPlot(
      {
        ...this.size(),
        series: [{}, ...series],
        axes: axes(panel),
        scales: { x: { range: () => [this.times[0], this.times.at(-1)] }, y: { range: scaleOf(panel) } },
        legend: { show: false },
        padding: [8, 10, 0, 0],
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, sync: { key: SYNC }, points: { size: 6 } },
        hooks: {
          draw: [drawThresholds(panel), (chart) => drawMarks(chart, this.events)],
          setCursor: [(chart) => this.values(chart.cursor.idx)],
          setSelect: [(chart) => this.selected(chart)],
        },
      },
      this.data(),
      this.box,
    );
    this.values(null);
  }

  /** The place of a line's colour: it keeps it for as long as the page is open. */
  slot(name) {
    if (!this.slots.has(name)) this.slots.set(name, this.slots.size);
    return this.slots.get(name);
  }

  /** Lines and their order; a line that comes alive moves out of the fold. */
  namesOf(panel) {
    return panel.series.map((one) => `${one.name} ${one.values.some((value) => value)}`).join("\n");
  }

  update(panel, times, events) {
    if (this.namesOf(panel) !== this.names) {
      this.plot.destroy();
      this.build(panel, times, events);
      return;
    }
    this.panel = panel;
    this.times = times;
    this.events = events;
    this.plot.setData(this.data());
    this.values(this.plot.cursor.idx ?? null);
  }

  selected(chart) {
    const { left, width } = chart.select;
    if (width < SHORTEST_DRAG) return;
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.onZoom(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
  }

  repaint() {
    this.plot.destroy();
    this.build(this.panel, this.times, this.events);
  }

  destroy() {
    this.watcher.disconnect();
    this.box.removeEventListener("dblclick", this.reset);
    this.plot.destroy();
    this.legend.clear();
  }

  data() {
    return [this.times, ...this.panel.series.map((one) => one.values)];
  }

  size() {
    return { width: Math.max(this.box.clientWidth, 120), height: Math.max(this.box.clientHeight, 100) };
  }

  fit() {
    const wanted = this.size();
    if (wanted.width !== this.plot.width || wanted.height !== this.plot.height) this.plot.setSize(wanted);
  }

  /** The legend's values: at the cursor, else the last ones. */
  values(place) {
    const at = place === null || place === undefined ? null : this.times[place];
    this.legend.values(this.panel, place, at);
  }
}

/** The course of a stat, without axes. */
export class Spark {
  constructor(box, times, panel) {
    this.box = box;
    this.plot = null;
    this.update(panel, times);
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(box);
  }

  update(panel, times) {
    this.panel = panel;
    this.times = times;
    this.draw();
  }

  repaint() {
    this.draw();
  }

  draw() {
    this.plot?.destroy();
    const color = style(this.panel.level === "none" ? "--accent" : `--${this.panel.level}`);
    this.plot = new uPlot(
      {
        width: Math.max(this.box.clientWidth, 40),
        height: Math.max(this.box.clientHeight, 20),
        series: [{}, { stroke: color, fill: `${color}22`, width: 1.5, points: { show: false } }],
        axes: [{ show: false }, { show: false }],
        padding: [2, 0, 2, 0],
        scales: { y: { range: scaleOf(this.panel) } },
        legend: { show: false },
        cursor: { show: false },
      },
      [this.times, this.panel.series[0]?.values ?? this.times.map(() => null)],
      this.box,
    );
  }

  destroy() {
    this.watcher.disconnect();
    this.plot.destroy();
  }
}
