/** A colour of the page, by its name in the style sheet: another one in the dark. */
export function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
