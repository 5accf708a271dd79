// The newest jobs, each with the way to its page. Asked for when the list is opened.

import { moment } from "./format.js";

const SHOWN = 20;

async function list(box) {
  const answer = await fetch(`/jobs?limit=${SHOWN}`);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.detail || `the API answered HTTP ${answer.status}`);
  const items = found.jobs.map((job) => {
    const item = document.createElement("li");
    const way = document.createElement("a");
    way.href = `/dashboard/jobs/${job.id}`;
    way.textContent = [job.type, job.payload.symbol, job.payload.strategy].filter(Boolean).join(" ");
    item.append(way, ` ${job.state}, ${moment(Date.parse(job.submitted_at) / 1000)}`);
    return item;
  });
  box.querySelector("ul").replaceChildren(...(items.length ? items : ["There is no job yet."]));
}

export function listJobs(box) {
  const look = () => {
    if (box.open) list(box).catch((error) => box.querySelector("ul").replaceChildren(`Not known: ${error.message}`));
  };
  box.addEventListener("toggle", look);
  look(); // it may have been opened before this was loaded
}
