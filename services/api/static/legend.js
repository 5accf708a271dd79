// A chart's legend: a table of values and a switch for each line. What lives comes first, lines of zeros are folded.

import { format, moment } from "./format.js";
import { element } from "./page.js";

const FOLDED = 2;

function latest(values) {
  for (let place = values.length - 1; place >= 0; place -= 1) {
    if (values[place] !== null) return values[place];
  }
  return null;
}

/** The legend in `list`. `onToggle(name, place, show)` hears of a line that is switched on or off. */
export class Legend {
  constructor(list, onToggle) {
    this.list = list;
    this.onToggle = onToggle;
    this.hidden = new Set();
    this.unfolded = false;
    this.cells = [];
  }

  /** Draw it for these series, each in the colour of its place in `colors`. */
  draw(panel, colors) {
    this.panel = panel;
    this.cells = [];
    const quiet = panel.series.map((one) => !one.values.some((value) => value));
    const folded = quiet.filter(Boolean).length;
    const items = panel.series.map((one, place) => this.item(one, place, colors[place], folded >= FOLDED && quiet[place]));
    if (folded >= FOLDED) items.push(this.fold(folded));
    this.list.classList.toggle("unfolded", this.unfolded);
    this.list.replaceChildren(...items);
  }

  item(one, place, color, quiet) {
    const item = element("li", quiet ? "quiet" : "");
    const button = element("button", "");
    const mark = element("span", "mark");
    const value = element("span", "value");
    mark.style.background = color;
    this.cells.push(value);
    button.type = "button";
    button.title = "Show or hide this line";
    button.setAttribute("aria-pressed", String(!this.hidden.has(one.name)));
    button.append(mark, element("span", "name", one.name), value);
    button.addEventListener("click", () => this.toggle(one.name, place, button));
    item.append(button);
    return item;
  }

  fold(count) {
    const item = element("li", "fold");
    const button = element("button", "");
    const label = () => {
      button.textContent = this.unfolded ? "fold the zeros" : `${count} at zero`;
      button.setAttribute("aria-expanded", String(this.unfolded));
    };
    button.type = "button";
    button.addEventListener("click", () => {
      this.unfolded = !this.unfolded;
      this.list.classList.toggle("unfolded", this.unfolded);
      label();
    });
    label();
    item.append(button);
    return item;
  }

  toggle(name, place, button) {
    const show = this.hidden.has(name);
    if (show) this.hidden.delete(name);
    else this.hidden.add(name);
    button.setAttribute("aria-pressed", String(show));
    this.onToggle(place, show);
  }

  /** The values at a place of the time axis, else the last ones. */
  values(panel, place, at) {
    panel.series.forEach((one, number) => {
      const value = at === null ? latest(one.values) : one.values[place];
      if (this.cells[number]) this.cells[number].textContent = format(value, panel.unit, panel.decimals);
    });
    this.list.title = at === null ? "" : moment(at);
  }

  clear() {
    this.list.replaceChildren();
  }
}
