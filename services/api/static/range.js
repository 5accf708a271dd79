// The stretch of time that is shown: one of those on offer until now, or from one moment to another.

const SHORTEST_S = 60;

function local(unixSeconds) {
  const date = new Date(unixSeconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

/** Holds the choice in the page's address. `onChange` hears of each new one. */
export class Range {
  constructor({ select, form, from, to, live }, onChange) {
    Object.assign(this, { select, form, from, to, live, onChange });
    this.span = null;
    select.addEventListener("change", () => (select.value === "custom" ? this.open() : this.preset()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.zoom(Date.parse(from.value) / 1000, Date.parse(to.value) / 1000);
    });
    live.addEventListener("click", () => this.reset());
    this.read(location.hash.slice(1));
  }

  /** The parameters of the question to the API. */
  query() {
    if (!this.span) return { range: this.last };
    const [from, to] = this.span;
    return { range: `${to - from}s`, end: String(to) };
  }

  read(hash) {
    const match = /^(\d+)-(\d+)$/.exec(hash);
    this.last = [...this.select.options].some((option) => option.value === hash && hash !== "custom") ? hash : "1h";
    this.select.value = this.last;
    if (match && match[2] - match[1] >= SHORTEST_S) this.set([Number(match[1]), Number(match[2])]);
  }

  /** From one moment to another, in Unix seconds; at least a minute. */
  zoom(from, to) {
    if (!(to > from)) return;
    const middle = (from + to) / 2;
    const half = Math.max((to - from) / 2, SHORTEST_S / 2);
    const wanted = [Math.round(middle - half), Math.round(middle + half)];
    if (String(wanted) === String(this.span)) return; // charts that follow the pointer together say so together
    this.set(wanted);
    history.replaceState(null, "", `#${wanted.join("-")}`);
    this.onChange();
  }

  /** Back to what moves with the time. */
  reset() {
    if (this.span || this.select.value === "custom") {
      this.select.value = this.last;
      this.preset();
    }
  }

  preset() {
    this.last = this.select.value;
    this.span = null;
    this.form.hidden = true;
    history.replaceState(null, "", `#${this.last}`);
    this.onChange();
  }

  open() {
    const now = Date.now() / 1000;
    this.fill(this.span ?? [now - 3600, now]);
  }

  set(span) {
    this.span = span;
    this.select.value = "custom";
    this.fill(span);
  }

  fill([from, to]) {
    this.from.value = local(from);
    this.to.value = local(to);
    this.form.hidden = false;
  }
}
