// Alerts that fire now: what, for how long, and the way to the panel and to the runbook.

import { span } from "./format.js";

function part(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function row(alert, onPanel) {
  const item = part("li", "alert");
  item.dataset.severity = alert.severity;
  const since = Math.max(0, Date.now() / 1000 - Date.parse(alert.since) / 1000);
  const count = alert.count > 1 ? ` ×${alert.count}` : "";
  const links = part("span", "links");
  if (alert.panel !== null) {
    const button = part("button", "", "Panel");
    button.type = "button";
    button.title = `Show the panel of ${alert.name}`;
    button.addEventListener("click", () => onPanel(alert.panel));
    links.append(button);
  }
  if (alert.runbook) {
    const link = part("a", "", "Runbook");
    link.href = alert.runbook;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.title = `What to do about ${alert.name}`;
    links.append(link);
  }
  item.append(
    part("span", "severity", alert.severity),
    part("strong", "", `${alert.name}${count}`),
    part("span", "since", `for ${span(since)}`),
    part("span", "summary", alert.summary),
    links,
  );
  return item;
}

/** Show the alerts in `box`; null is what nobody knows, and `note` says why. */
export function showFiring(box, alerts, note, onPanel) {
  box.dataset.state = alerts === null ? "unknown" : alerts.length ? "firing" : "quiet";
  if (alerts === null) box.replaceChildren(part("li", "", `Whether alerts fire is not known: ${note}.`));
  else if (!alerts.length) box.replaceChildren(part("li", "", "No alert fires."));
  else box.replaceChildren(...alerts.map((alert) => row(alert, onPanel)));
}
