// The newest jobs, each with the way to its page. Asked for when the list is opened.

import { moment } from "./format.js";
import { ask, element } from "./page.js";

const SHOWN = 20;

async function list(box) {
  const found = await ask(`/jobs?limit=${SHOWN}`);
  const items = found.jobs.map((job) => {
    const symbols = [job.payload.symbol].flat().join(", ");
    const way = element("a", "", [job.type, symbols, job.payload.strategy].filter(Boolean).join(" "));
    way.href = `/dashboard/jobs/${job.id}`;
    return element("li", "", way, ` ${job.state}, ${moment(Date.parse(job.submitted_at) / 1000)}`);
  });
  box.querySelector("ul").replaceChildren(...(items.length ? items : ["There is no job yet."]));
}

export function listJobs(box) {
  const look = () => {
    if (box.open) list(box).catch((error) => box.querySelector("ul").replaceChildren(error.message));
  };
  box.addEventListener("toggle", look);
  look(); // it may have been opened before this was loaded
}
