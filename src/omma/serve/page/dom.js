// Building the page: elements are made here and nowhere from text, so that no answer can become markup.

/**
 * An element with attributes, listeners (`onclick`) and children. Children that are text stay text;
 * null, undefined and false are passed over. `vars` are CSS variables, `data` the dataset.
 */
export function make(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = SVG.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "vars")
      for (const [name, one] of Object.entries(value)) element.style.setProperty(name, one);
    else if (key === "value" || key === "checked" || key === "muted") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const SVG = new Set(["svg", "g", "rect", "path", "circle", "polygon", "line"]);

/** The element of this id, which index.html has. */
export const at = (id) => document.getElementById(id);

/** "1 box", "2 boxes", "no boxes". */
export function count(number, one, many = `${one}s`) {
  return `${number === 0 ? "no" : number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** Seconds as people read them: "85 ms", "1.4 s", "2 min 5 s". */
export function duration(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** A second of a video: "0:07.5", "1:02:03". */
export function clock(second) {
  const [hours, minutes] = [Math.floor(second / 3600), Math.floor(second / 60) % 60];
  const rest = (second % 60).toFixed(second % 1 ? 1 : 0).padStart(second % 1 ? 4 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const told = () => at("told");

/** Say something to people who listen instead of look. */
export function announce(text) {
  told().textContent = text;
}

/** Whether the copy succeeded: the button says so for a moment. */
export async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed to copy";
  }
  announce(button.textContent);
  setTimeout(() => (button.textContent = before), 1600);
}
