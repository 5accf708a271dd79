// Alerts that fire now: what, for how long, and the way to the panel and to the runbook.

import { span } from "./format.js";
import { element } from "./page.js";

function row(alert, onPanel) {
  const item = element("li", "alert");
  item.dataset.severity = alert.severity;
  const since = Math.max(0, Date.now() / 1000 - Date.parse(alert.since) / 1000);
  const count = alert.count > 1 ? ` ×${alert.count}` : "";
  const links = element("span", "links");
  if (alert.panel !== null) {
    const button = element("button", "", "Panel");
    button.type = "button";
    button.title = `Show the panel of ${alert.name}`;
    button.addEventListener("click", () => onPanel(alert.panel));
    links.append(button);
  }
  if (alert.runbook) {
    const link = element("a", "", "Runbook");
    link.href = alert.runbook;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.title = `What to do about ${alert.name}`;
    links.append(link);
  }
  item.append(
    element("span", "severity", alert.severity),
    element("strong", "", `${alert.name}${count}`),
    element("span", "since", `for ${span(since)}`),
    element("span", "summary", alert.summary),
    links,
  );
  return item;
}

/** Show the alerts in `box`; null is what nobody knows, and `note` says why. */
export function showFiring(box, alerts, note, onPanel) {
  box.dataset.state = alerts === null ? "unknown" : alerts.length ? "firing" : "quiet";
  if (alerts === null) box.replaceChildren(element("li", "", `Whether alerts fire is not known: ${note}.`));
  else if (!alerts.length) box.replaceChildren(element("li", "", "No alert fires."));
  else box.replaceChildren(...alerts.map((alert) => row(alert, onPanel)));
}
