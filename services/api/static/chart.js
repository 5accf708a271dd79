// One panel's series as a chart with a legend that is also a table of values and a switch for each line.

import { format, moment } from "./format.js";

const LINES = 10;
const SYNC = "dashboard";
const BINARY_STEPS = Array.from({ length: 45 }, (_, power) => 2 ** power);
const WHOLE_STEPS = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
const STEPS = { bytes: BINARY_STEPS, short: WHOLE_STEPS };

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function lineColor(place) {
  return style(`--line-${place % LINES}`);
}

function latest(values) {
  for (let place = values.length - 1; place >= 0; place -= 1) {
    if (values[place] !== null) return values[place];
  }
  return null;
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
      return step >= 86400 ? day : date.getHours() + date.getMinutes() === 0 ? `${day}\n${time}` : time;
    });
  return [{ ...common, values: times, space: 64, size: 34 }, y];
}

/** A chart in `box`, its legend in `list`. `update` shows new data, `destroy` ends it. */
export class Chart {
  constructor(panel, times, box, list) {
    this.box = box;
    this.list = list;
    this.hidden = new Set();
    this.build(panel, times);
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(box);
  }

  build(panel, times) {
    this.panel = panel;
    this.times = times;
    this.names = panel.series.map((one) => one.name).join("\n");
    this.drawLegend();
    const series = panel.series.map((one, place) => ({
      label: one.name,
      stroke: lineColor(place),
      fill: panel.series.length <= 3 ? `${lineColor(place)}1a` : undefined,
      width: 1.5,
      // Colours repeat after the tenth line, so the next ten are dashed.
      dash: place < LINES ? undefined : [6, 4],
      points: { show: (_chart, _series, from, to) => to - from < 2 },
      show: !this.hidden.has(one.name),
    }));
    this.plot = new uPlot(
      {
        ...this.size(),
        series: [{}, ...series],
        axes: axes(panel),
        scales: { x: { range: () => [this.times[0], this.times.at(-1)] }, y: { range: scaleOf(panel) } },
        legend: { show: false },
        padding: [8, 10, 0, 0],
        cursor: { y: false, drag: { x: false, y: false }, sync: { key: SYNC }, points: { size: 6 } },
        hooks: { draw: [drawThresholds(panel)], setCursor: [(chart) => this.values(chart.cursor.idx)] },
      },
      this.data(),
      this.box,
    );
    this.values(null);
  }

  update(panel, times) {
    if (panel.series.map((one) => one.name).join("\n") !== this.names) {
      this.plot.destroy();
      this.build(panel, times);
      return;
    }
    this.panel = panel;
    this.times = times;
    this.plot.setData(this.data());
    this.values(this.plot.cursor.idx ?? null);
  }

  repaint() {
    this.plot.destroy();
    this.build(this.panel, this.times);
  }

  destroy() {
    this.watcher.disconnect();
    this.plot.destroy();
    this.list.replaceChildren();
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

  drawLegend() {
    this.list.replaceChildren(
      ...this.panel.series.map((one, place) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        const mark = document.createElement("span");
        const name = document.createElement("span");
        const value = document.createElement("span");
        mark.className = "mark";
        mark.style.background = lineColor(place);
        name.className = "name";
        name.textContent = one.name;
        value.className = "value";
        button.type = "button";
        button.title = "Show or hide this line";
        button.setAttribute("aria-pressed", String(!this.hidden.has(one.name)));
        button.append(mark, name, value);
        button.addEventListener("click", () => this.toggle(one.name, place, button));
        item.append(button);
        return item;
      }),
    );
  }

  toggle(name, place, button) {
    const show = this.hidden.has(name);
    if (show) this.hidden.delete(name);
    else this.hidden.add(name);
    button.setAttribute("aria-pressed", String(show));
    this.plot.setSeries(place + 1, { show });
  }

  /** The legend's values: at the cursor, else the last ones. */
  values(place) {
    const at = place === null || place === undefined ? null : this.times[place];
    const cells = this.list.querySelectorAll(".value");
    this.panel.series.forEach((one, number) => {
      const value = at === null ? latest(one.values) : one.values[place];
      if (cells[number]) cells[number].textContent = format(value, this.panel.unit, this.panel.decimals);
    });
    this.list.title = at === null ? "" : moment(at);
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
